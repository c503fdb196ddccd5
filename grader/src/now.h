/* now.h - what time has passed.
 *
 * Any thread may call.
 */
#ifndef GRADE_NOW_H
#define GRADE_NOW_H

/* Seconds since the machine's start, by a clock that nobody sets. Does not block. */
double now_s(void);

#endif
