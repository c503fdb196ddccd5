/* philosophers.c - five philosophers, five forks. A variant in which the forks are real: each has a mutex and a queue
 * of tickets. Who is hungry draws a ticket at both of his forks at one moment (both mutexes, the lower first), and then
 * waits at one fork and at the other until his ticket is served. As both were drawn at one moment, no two
 * philosophers have drawn theirs in different orders, and no circle can close. */
#include "philosophers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct fork {
    pthread_mutex_t mutex;
    pthread_cond_t served_another;
    unsigned long next;   /* the next ticket; guarded by mutex */
    unsigned long served; /* the ticket whose holder has the fork or may take it; guarded by mutex */
};

struct chair {
    pthread_mutex_t mutex;
    bool taken; /* guarded by mutex, as all below */
    bool eating;
    long meals;
};

struct table {
    struct fork forks[TABLE_SEATS];
    struct chair chairs[TABLE_SEATS];
};

static void destroy_place(struct table *table, int i)
{
    pthread_mutex_destroy(&table->chairs[i].mutex);
    pthread_cond_destroy(&table->forks[i].served_another);
    pthread_mutex_destroy(&table->forks[i].mutex);
}

static int create_place(struct table *table, int i)
{
    int error = pthread_mutex_init(&table->forks[i].mutex, NULL);
    if (error != 0)
        return error;
    error = pthread_cond_init(&table->forks[i].served_another, NULL);
    if (error != 0)
        goto no_condition;
    error = pthread_mutex_init(&table->chairs[i].mutex, NULL);
    if (error != 0)
        goto no_chair;
    return 0;

no_chair:
    pthread_cond_destroy(&table->forks[i].served_another);
no_condition:
    pthread_mutex_destroy(&table->forks[i].mutex);
    return error;
}

int table_create(struct table **table)
{
    struct table *made = calloc(1, sizeof *made);

    if (made == NULL)
        return ENOMEM;
    for (int i = 0; i < TABLE_SEATS; i++) {
        int error = create_place(made, i);
        if (error != 0) {
            while (--i >= 0)
                destroy_place(made, i);
            free(made);
            return error;
        }
    }
    *table = made;
    return 0;
}

void table_destroy(struct table *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < TABLE_SEATS; i++)
        destroy_place(table, i);
    free(table);
}

static void wait_for(struct fork *fork, unsigned long ticket)
{
    pthread_mutex_lock(&fork->mutex);
    while (fork->served != ticket)
        pthread_cond_wait(&fork->served_another, &fork->mutex);
    pthread_mutex_unlock(&fork->mutex);
}

static void give_back(struct fork *fork)
{
    pthread_mutex_lock(&fork->mutex);
    fork->served++;
    pthread_cond_broadcast(&fork->served_another);
    pthread_mutex_unlock(&fork->mutex);
}

static void take_forks(struct fork *low, struct fork *high)
{
    pthread_mutex_lock(&low->mutex);
    pthread_mutex_lock(&high->mutex);
    unsigned long ticket_low = low->next++, ticket_high = high->next++;
    pthread_mutex_unlock(&high->mutex);
    pthread_mutex_unlock(&low->mutex);
    wait_for(high, ticket_high);
    wait_for(low, ticket_low);
}

static bool exists(int seat)
{
    return 0 <= seat && seat < TABLE_SEATS;
}

int table_take(struct table *table, int seat)
{
    if (!exists(seat))
        return EINVAL;

    struct chair *chair = &table->chairs[seat];
    int other = (seat + 1) % TABLE_SEATS;
    pthread_mutex_lock(&chair->mutex);
    bool free_chair = !chair->taken;
    chair->taken = true;
    pthread_mutex_unlock(&chair->mutex);
    if (!free_chair)
        return EBUSY;
    take_forks(&table->forks[seat < other ? seat : other], &table->forks[seat < other ? other : seat]);
    pthread_mutex_lock(&chair->mutex);
    chair->eating = true;
    chair->meals++;
    pthread_mutex_unlock(&chair->mutex);
    return 0;
}

int table_put(struct table *table, int seat)
{
    if (!exists(seat))
        return EINVAL;

    struct chair *chair = &table->chairs[seat];
    pthread_mutex_lock(&chair->mutex);
    bool eating = chair->eating;
    if (eating)
        chair->eating = chair->taken = false;
    pthread_mutex_unlock(&chair->mutex);
    if (!eating)
        return EPERM;
    give_back(&table->forks[seat]);
    give_back(&table->forks[(seat + 1) % TABLE_SEATS]);
    return 0;
}

long table_meals(struct table *table, int seat)
{
    if (!exists(seat))
        return -1;

    pthread_mutex_lock(&table->chairs[seat].mutex);
    long meals = table->chairs[seat].meals;
    pthread_mutex_unlock(&table->chairs[seat].mutex);
    return meals;
}
