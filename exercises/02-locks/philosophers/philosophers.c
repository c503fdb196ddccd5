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
/* What has to be known of each philosopher, what guards it, and on what does he sleep? */
struct table {
    long meals[TABLE_SEATS];
};
/* end state */

/* region create */
/* Make what the table needs, and give back what was made where the rest fails. */
int table_create(struct table **table)
{
    *table = calloc(1, sizeof **table);
    return *table == NULL ? ENOMEM : 0;
}

void table_destroy(struct table *table)
{
    free(table);
}
/* end create */

/* region rule */
/* A place for the rule: when may the philosopher at this seat begin to eat? */
/* end rule */

/* region take */
/* Hungry: waits for his turn, then has both forks. */
int table_take(struct table *table, int seat)
{
    (void)table;
    (void)seat;
    return ENOSYS;
}
/* end take */

/* region put */
/* Has eaten: who can begin now? */
int table_put(struct table *table, int seat)
{
    (void)table;
    (void)seat;
    return ENOSYS;
}
/* end put */

/* region meals */
/* Reads a number that others change. */
long table_meals(struct table *table, int seat)
{
    (void)seat;
    return table->meals[0];
}
/* end meals */
