/* philosophers.c - five philosophers, five forks. A variant after Chandy and Misra: of two who want the same fork the
 * one who used it last yields. Who has just eaten yields on both sides, so the yielding never runs in a circle. One
 * condition serves everybody. */
#include "philosophers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct fork {
    bool in_use; /* guarded by guard, as all here */
    int last;    /* the seat that used it last; -1: none */
};

struct table {
    pthread_mutex_t guard;
    pthread_cond_t changed;
    struct fork forks[TABLE_SEATS]; /* forks[s] lies to the left of seat s */
    bool hungry[TABLE_SEATS];
    bool eating[TABLE_SEATS];
    long meals[TABLE_SEATS];
};

int table_create(struct table **table)
{
    struct table *made = calloc(1, sizeof *made);
    int error;

    if (made == NULL)
        return ENOMEM;
    error = pthread_mutex_init(&made->guard, NULL);
    if (error == 0) {
        error = pthread_cond_init(&made->changed, NULL);
        if (error != 0)
            pthread_mutex_destroy(&made->guard);
    }
    if (error != 0) {
        free(made);
        return error;
    }
    for (int i = 0; i < TABLE_SEATS; i++)
        made->forks[i].last = -1;
    *table = made;
    return 0;
}

void table_destroy(struct table *table)
{
    if (table == NULL)
        return;
    pthread_cond_destroy(&table->changed);
    pthread_mutex_destroy(&table->guard);
    free(table);
}

/* Whether `seat` may use `fork`, whose other user is `rival`. */
static bool gets(const struct table *table, const struct fork *fork, int seat, int rival)
{
    return !fork->in_use && !(fork->last == seat && table->hungry[rival]);
}

static bool gets_both(const struct table *table, int seat)
{
    int right = (seat + 1) % TABLE_SEATS, left = (seat + TABLE_SEATS - 1) % TABLE_SEATS;

    return gets(table, &table->forks[seat], seat, left) && gets(table, &table->forks[right], seat, right);
}

static void use(struct table *table, int seat, bool in_use)
{
    struct fork *forks[] = {&table->forks[seat], &table->forks[(seat + 1) % TABLE_SEATS]};

    for (int i = 0; i < 2; i++) {
        forks[i]->in_use = in_use;
        forks[i]->last = seat;
    }
    table->eating[seat] = in_use;
}

int table_take(struct table *table, int seat)
{
    int error = EBUSY;

    if (seat < 0 || seat >= TABLE_SEATS)
        return EINVAL;
    pthread_mutex_lock(&table->guard);
    if (!table->hungry[seat] && !table->eating[seat]) {
        table->hungry[seat] = true;
        while (!gets_both(table, seat))
            pthread_cond_wait(&table->changed, &table->guard);
        table->hungry[seat] = false;
        use(table, seat, true);
        table->meals[seat]++;
        error = 0;
        pthread_cond_broadcast(&table->changed); /* who yielded to me because I was hungry need not any more */
    }
    pthread_mutex_unlock(&table->guard);
    return error;
}

int table_put(struct table *table, int seat)
{
    int error = EPERM;

    if (seat < 0 || seat >= TABLE_SEATS)
        return EINVAL;
    pthread_mutex_lock(&table->guard);
    if (table->eating[seat]) {
        use(table, seat, false);
        error = 0;
        pthread_cond_broadcast(&table->changed);
    }
    pthread_mutex_unlock(&table->guard);
    return error;
}

long table_meals(struct table *table, int seat)
{
    long meals = -1;

    if (seat >= 0 && seat < TABLE_SEATS) {
        pthread_mutex_lock(&table->guard);
        meals = table->meals[seat];
        pthread_mutex_unlock(&table->guard);
    }
    return meals;
}
