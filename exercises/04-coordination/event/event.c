/* event.c - a flag that threads wait for.
 *
 * Theory of operation: no threads of its own. The mutex guards the flag, and is held for a few instructions only. Who
 * finds the flag false sleeps on the condition `changed`. The flag alone cannot tell a thread that wakes up slowly
 * whether it was set meanwhile: somebody may have cleared it again. So there is a second field, the number of sets. A
 * thread remembers the number when it begins to wait, and goes on when it is another one.
 */
#include "event.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* region state */
/* The flag. What guards it, where do threads sleep, and how does one that wakes up late know that it was set? */
struct event {
    bool flag;
};
/* end state */

/* region create */
/* Make what the struct needs, and give back what was made where the rest fails. */
int event_create(struct event **event)
{
    *event = calloc(1, sizeof **event);
    return *event == NULL ? ENOMEM : 0;
}

void event_destroy(struct event *event)
{
    free(event);
}
/* end create */

/* region set */
/* Each of these needs the mutex. Setting wakes all who wait. */
void event_set(struct event *event)
{
    event->flag = true;
}

void event_clear(struct event *event)
{
    event->flag = false;
}

bool event_is_set(struct event *event)
{
    return event->flag;
}
/* end set */

/* region deadline */
/* A place for a helper: the moment at which a time-out ends, by the monotonic clock. */
/* end deadline */

/* region wait */
/* True already? Else wait until it was set, however short that was, or the time is over. */
int event_wait(struct event *event, int64_t timeout_us)
{
    (void)event;
    (void)timeout_us;
    return ENOSYS;
}
/* end wait */
