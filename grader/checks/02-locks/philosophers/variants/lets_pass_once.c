/* philosophers.c - five philosophers, five forks. A variant that is more generous: whoever finds both forks on the
 * table may pass a neighbour who is hungry and cannot eat yet, once. How often it happened stands at the seat of the
 * one who was passed. A put hands the forks on: it makes those eat who may, and they learn of it when they wake up. */
#include "philosophers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum state { THINKING, HUNGRY, EATING };

struct seat {
    enum state state;       /* guarded by the table's mutex, as all here */
    uint64_t number;        /* drawn when he became hungry */
    int passed[2];          /* meals that his left and his right neighbour began since */
    long meals;             /* begun so far */
    pthread_cond_t may_eat; /* signalled when he was made to eat */
};

struct table {
    pthread_mutex_t mutex;
    uint64_t last_number; /* guarded by mutex */
    struct seat seats[TABLE_SEATS];
};

/* Makes the conditions; where one fails, none is left. */
static int make_conditions(struct table *table)
{
    for (int i = 0; i < TABLE_SEATS; i++) {
        int error = pthread_cond_init(&table->seats[i].may_eat, NULL);
        if (error != 0) {
            while (i-- > 0)
                pthread_cond_destroy(&table->seats[i].may_eat);
            return error;
        }
    }
    return 0;
}

int table_create(struct table **table)
{
    struct table *made = calloc(1, sizeof *made); /* all zero: everyone thinks, no number was drawn */
    if (made == NULL)
        return ENOMEM;

    int error = pthread_mutex_init(&made->mutex, NULL);
    if (error != 0)
        goto no_mutex;
    error = make_conditions(made);
    if (error != 0)
        goto no_conditions;
    *table = made;
    return 0;

no_conditions:
    pthread_mutex_destroy(&made->mutex);
no_mutex:
    free(made);
    return error;
}

void table_destroy(struct table *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < TABLE_SEATS; i++)
        pthread_cond_destroy(&table->seats[i].may_eat);
    pthread_mutex_destroy(&table->mutex);
    free(table);
}

static bool is_seat(int seat)
{
    return seat >= 0 && seat < TABLE_SEATS;
}

/* The seat beside `seat`; `side` is 0 for the left and 1 for the right. */
static int beside(int seat, int side)
{
    return (seat + (side == 0 ? TABLE_SEATS - 1 : 1)) % TABLE_SEATS;
}

/* With the mutex held. */
static bool may_eat(const struct table *table, int seat)
{
    for (int side = 0; side < 2; side++) {
        const struct seat *neighbour = &table->seats[beside(seat, side)];

        if (neighbour->state == EATING)
            return false;
        if (neighbour->state == HUNGRY && neighbour->number < table->seats[seat].number &&
            neighbour->passed[1 - side] >= TABLE_BOUND)
            return false;
    }
    return true;
}

/* With the mutex held. */
static void begin_meal(struct table *table, int seat)
{
    table->seats[seat].state = EATING;
    table->seats[seat].meals++;
    for (int side = 0; side < 2; side++)
        table->seats[beside(seat, side)].passed[1 - side]++;
}

int table_take(struct table *table, int seat)
{
    if (!is_seat(seat))
        return EINVAL;

    struct seat *mine = &table->seats[seat];
    pthread_mutex_lock(&table->mutex);
    if (mine->state != THINKING) {
        pthread_mutex_unlock(&table->mutex);
        return EBUSY;
    }
    mine->state = HUNGRY;
    mine->number = ++table->last_number;
    mine->passed[0] = mine->passed[1] = 0;
    if (may_eat(table, seat))
        begin_meal(table, seat);
    while (mine->state == HUNGRY)
        pthread_cond_wait(&mine->may_eat, &table->mutex);
    pthread_mutex_unlock(&table->mutex);
    return 0;
}

int table_put(struct table *table, int seat)
{
    int error = 0;

    if (!is_seat(seat))
        return EINVAL;

    pthread_mutex_lock(&table->mutex);
    if (table->seats[seat].state == EATING) {
        table->seats[seat].state = THINKING;
        for (int side = 0; side < 2; side++) {
            int hungry = beside(seat, side);

            if (table->seats[hungry].state == HUNGRY && may_eat(table, hungry)) {
                begin_meal(table, hungry);
                pthread_cond_signal(&table->seats[hungry].may_eat);
            }
        }
    } else {
        error = EPERM;
    }
    pthread_mutex_unlock(&table->mutex);
    return error;
}

long table_meals(struct table *table, int seat)
{
    if (!is_seat(seat))
        return -1;

    pthread_mutex_lock(&table->mutex);
    long meals = table->seats[seat].meals;
    pthread_mutex_unlock(&table->mutex);
    return meals;
}
