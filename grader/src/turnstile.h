/* turnstile.h - many gradings at once, or one timing alone.
 *
 * A comparison of wall times means nothing while another grading of ours uses the other core. So every stage holds the
 * machine shared, and a timing stage that compares wall time holds it alone. Two flock(2) locks: whoever wants the room
 * first takes the door, so that one who waits to be alone is not passed for ever by those who share.
 */
#ifndef GRADE_TURNSTILE_H
#define GRADE_TURNSTILE_H

#include "fault.h"

#include <stdbool.h>

struct turnstile {
    int door; /* held only while entering */
    int room; /* held shared or alone */
};

/* Opens (makes) the two lock files below `dir`. Each process opens its own: an inherited one would share its locks. */
int turnstile_open(const char *dir, struct turnstile *turnstile, struct fault *fault);

/* Enters, shared or alone; blocks until that is possible. A signal ends the wait with a fault "interrupted". */
int turnstile_enter(struct turnstile *turnstile, bool alone, struct fault *fault);

/* Leaves; does not block. */
void turnstile_leave(struct turnstile *turnstile);

void turnstile_close(struct turnstile *turnstile);

#endif
