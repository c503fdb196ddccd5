/* thing.h - a sample for the book's own checks. */
#ifndef THING_H
#define THING_H

struct thing;

/* One more, up to ten. Returns how many. */
int thing_step(struct thing *thing);

#endif
