/* philosophers.h - five philosophers, five forks, and a bound on how long anyone starves.
 *
 * Five philosophers sit around a table, with one fork between each two. Who wants to eat needs the fork on his left and
 * the fork on his right, so neighbours cannot eat at the same time. In Python, with a threading.Lock for each fork:
 *
 *     with forks[seat]:
 *         with forks[(seat + 1) % 5]:     # if all five have their first fork, all five wait for ever
 *             eat()
 *
 * A fork stands for anything that two threads share, and a meal for work that needs two such things. This table
 * promises:
 *
 *   - Neighbours never eat at the same time.
 *   - No deadlock: as long as every meal ends, everyone who is hungry eats.
 *   - Nobody waits without need: where neither neighbour eats or is hungry, table_take does not wait.
 *   - Nobody starves: from the moment you are hungry (your table_take waits) each of your neighbours begins at most
 *     TABLE_BOUND more meals before you begin yours. That holds on both sides at once: also while one neighbour eats
 *     for hours, the other one may not eat again and again meanwhile. And it holds however slowly your thread wakes up.
 *
 * Who waits sleeps. A seat is used by one thread at a time, which calls table_take, eats, and calls table_put; threads
 * at different seats may make any calls at the same time.
 */
#ifndef PHILOSOPHERS_H
#define PHILOSOPHERS_H

/* Seats are numbered from 0. The neighbours of a seat are (seat + 1) % 5 and (seat + 4) % 5. */
enum { TABLE_SEATS = 5, TABLE_BOUND = 1 };

struct table;

/* Lays a table at which nobody eats and stores it in `*table`. It belongs to the caller, who ends it with
 * table_destroy. Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int table_create(struct table **table);

/* Ends a table at which nobody eats or waits. NULL is fine. */
void table_destroy(struct table *table);

/* The philosopher at `seat` is hungry: blocks until he has both forks. Then he eats, until table_put. Returns 0, or at
 * once a positive errno value, and then nothing has changed:
 *   EINVAL  there is no such seat (Python: IndexError)
 *   EBUSY   somebody at this seat eats already, or waits to */
int table_take(struct table *table, int seat);

/* The philosopher at `seat` has eaten: puts both forks back, and wakes whoever can eat now. Does not block. Returns 0,
 * or a positive errno value, and then nothing has changed:
 *   EINVAL  there is no such seat (Python: IndexError)
 *   EPERM   nobody eats at this seat (Python: RuntimeError, "release unlocked lock") */
int table_put(struct table *table, int seat);

/* How many meals were begun at `seat` so far; -1 where there is no such seat. Does not block. */
long table_meals(struct table *table, int seat);

#endif
