/* counter.h - a counter that several threads add to.
 *
 * In Python it is a few lines, and most people write them with a mistake in them:
 *
 *     class Counter:
 *         def __init__(self):
 *             self.value = 0
 *         def add_result(self, work, argument):
 *             self.value += work(argument)    # reads self.value, runs work, then adds and writes
 *
 * While work() runs, other threads change self.value; then the old value plus the result is written over all that they
 * did. Python needs a threading.Lock here, and so does C. This counter promises:
 *
 *   - Nothing is lost: its value is always the sum of all that was added, whatever the threads and their order.
 *   - Each addition happens at one moment, and returns the value that it made: while everyone adds 1, no number is
 *     ever returned twice.
 *   - Nobody waits for somebody else's work: the lock is held to read and to write the value, and for nothing else.
 *
 * The calls below may be made from any number of threads at the same time, except create and destroy. They block for no
 * longer than another thread needs for one addition, and wait asleep. Use a mutex; atomic operations have a chapter of
 * their own (11). The value must fit in a long, and so must the sum of a list, in whatever order it is added up: that
 * is the caller's care.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stddef.h>

struct counter;

/* Makes a counter with the value 0 and stores it in `*counter`. It belongs to the caller, who ends it with
 * counter_destroy. Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what pthread_mutex_init returned */
int counter_create(struct counter **counter);

/* Ends the counter and gives back all that it holds. No thread may be using it, or use it afterwards. NULL is fine. */
void counter_destroy(struct counter *counter);

/* Adds `amount`, which may be negative, and returns the value that this made. */
long counter_add(struct counter *counter, long amount);

/* The value now. */
long counter_get(struct counter *counter);

/* Calls work(argument) once, in the calling thread, adds its result, and returns the value that this made.
 *
 * work() may take long, may block, and may use this counter itself: no lock is held while it runs, and additions that
 * are made meanwhile are not lost. Any number of threads can be inside their work() at the same time. */
long counter_add_result(struct counter *counter, long (*work)(void *argument), void *argument);

/* Adds all of the `count` amounts and returns the value that this made. `count` may be 0.
 *
 * It happens at one moment: no other thread ever sees a value with some of the amounts in it and some not. The caller
 * keeps `amounts`, and nobody changes them during the call. There may be millions of them: they are summed up before
 * the lock is taken, so that two threads can do that at the same time, and where they lie, without a copy. */
long counter_add_all(struct counter *counter, const long *amounts, size_t count);

#endif
