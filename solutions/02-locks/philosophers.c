/* philosophers.c - five philosophers, five forks, and a bound on how long anyone starves.
 *
 * Theory of operation: no threads of its own, and no lock for a fork: a fork is in use when one of the two at its sides
 * eats. One mutex guards what everyone does; it is held for a few instructions, never during a meal. Each seat has a
 * condition on which its philosopher sleeps until he may eat.
 *
 * Who becomes hungry draws the next number. He may eat when neither neighbour eats, and neither neighbour is hungry
 * with a lower number. Nobody can deadlock: of all who are hungry the one with the lowest number waits only for
 * neighbours who eat, and those wait for nothing. And nobody starves: a neighbour who becomes hungry later has a higher
 * number, so he cannot begin before me, however slowly I wake up. Only one who was hungry before me begins one meal
 * first.
 */
#include "philosophers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* region state */
enum state { THINKING, HUNGRY, EATING };

struct seat {
    enum state state;       /* guarded by the table's mutex, as all here */
    uint64_t number;        /* drawn when he became hungry */
    long meals;             /* begun so far */
    pthread_cond_t may_eat; /* signalled when a neighbour has put his forks back */
};

struct table {
    pthread_mutex_t mutex;
    uint64_t last_number; /* guarded by mutex */
    struct seat seats[TABLE_SEATS];
};
/* end state */

/* region create */
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
/* end create */

/* region rule */
static bool is_seat(int seat)
{
    return seat >= 0 && seat < TABLE_SEATS;
}

static struct seat *left_of(struct table *table, int seat)
{
    return &table->seats[(seat + TABLE_SEATS - 1) % TABLE_SEATS];
}

static struct seat *right_of(struct table *table, int seat)
{
    return &table->seats[(seat + 1) % TABLE_SEATS];
}

/* Whether `neighbour` keeps one who has this number from eating. */
static bool comes_first(const struct seat *neighbour, uint64_t number)
{
    return neighbour->state == EATING || (neighbour->state == HUNGRY && neighbour->number < number);
}

/* With the mutex held. */
static bool may_eat(struct table *table, int seat)
{
    uint64_t number = table->seats[seat].number;

    return !comes_first(left_of(table, seat), number) && !comes_first(right_of(table, seat), number);
}
/* end rule */

/* region take */
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
    while (!may_eat(table, seat))
        pthread_cond_wait(&mine->may_eat, &table->mutex);
    mine->state = EATING;
    mine->meals++;
    pthread_mutex_unlock(&table->mutex);
    return 0;
}
/* end take */

/* region put */
int table_put(struct table *table, int seat)
{
    int error = 0;

    if (!is_seat(seat))
        return EINVAL;

    pthread_mutex_lock(&table->mutex);
    if (table->seats[seat].state == EATING) {
        table->seats[seat].state = THINKING;
        pthread_cond_signal(&left_of(table, seat)->may_eat); /* both: they are no neighbours of each other */
        pthread_cond_signal(&right_of(table, seat)->may_eat);
    } else {
        error = EPERM;
    }
    pthread_mutex_unlock(&table->mutex);
    return error;
}
/* end put */

/* region meals */
long table_meals(struct table *table, int seat)
{
    if (!is_seat(seat))
        return -1;

    pthread_mutex_lock(&table->mutex);
    long meals = table->seats[seat].meals;
    pthread_mutex_unlock(&table->mutex);
    return meals;
}
/* end meals */
