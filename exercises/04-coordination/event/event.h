/* event.h - a flag that threads wait for: Python's threading.Event.
 *
 *     ready = threading.Event()
 *     ready.wait()                     # any number of threads, asleep
 *     ready.set()                      # another one: all of them go on
 *
 * It promises:
 *
 *   - set makes the flag true and wakes all who wait. As long as it is true, nobody waits.
 *   - clear makes it false again: who comes from now on waits for the next set.
 *   - A set loses nobody. Every thread that was waiting when it happened goes on, and its wait succeeds, however slowly
 *     it wakes up, and even if the flag was cleared at once.
 *   - Who comes after the clear was not meant, and waits.
 *
 * It is built from a mutex, which is held for a moment only, and a condition. All calls but create and destroy may be
 * made from any number of threads at the same time.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct event;

/* Makes an event whose flag is false and stores it in `*event`. It belongs to the caller, who ends it with
 * event_destroy. Returns 0, or a positive errno value, and then nothing was made and nothing is kept:
 *   ENOMEM  there is no memory (Python: MemoryError)
 *   other   what the pthread function returned that failed */
int event_create(struct event **event);

/* Ends an event that nobody uses, and gives back all that it holds. NULL is fine. */
void event_destroy(struct event *event);

/* Makes the flag true, and wakes all who wait. Where it is true already, nothing changes. Does not block. */
void event_set(struct event *event);

/* Makes the flag false. Where it is false already, nothing changes. Does not block. */
void event_clear(struct event *event);

/* Whether the flag is true now. Does not block. */
bool event_is_set(struct event *event);

/* Waits until the flag is true. Where it is true already, returns at once. Else:
 *   timeout_us < 0   waits however long that takes
 *   timeout_us > 0   waits at most that many microseconds, by the monotonic clock
 *   timeout_us = 0   does not wait
 * Returns 0 where the flag was true when the call began or was set meanwhile (Python: returns True), or
 *   ETIMEDOUT  the time was over first (Python: returns False) */
int event_wait(struct event *event, int64_t timeout_us);

#endif
