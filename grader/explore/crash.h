/* crash.h - signals that a program's mistake raises become findings: a wild pointer, a full stack, a loop without end.
 *
 * They arrive on a stack of their own; the run is left from there. A program that computes for a second of CPU time
 * without a visible operation or an access that we see is taken to loop for ever.
 */
#ifndef EXPLORE_CRASH_H
#define EXPLORE_CRASH_H

/* Installs the handlers and the timer. 0, or -1 with errno. */
int crash_open(void);

#endif
