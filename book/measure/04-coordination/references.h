/* references.h - the semaphore, the event and the barrier of this chapter in one program. Each is included as it is,
 * and what they call alike gets a name of its own. */
#ifndef MEASURE_REFERENCES_H
#define MEASURE_REFERENCES_H

#define make_condition semaphore_make_condition
#define deadline_after semaphore_deadline_after
#include "04-coordination/semaphore.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */
#undef make_condition
#undef deadline_after

#define make_condition event_make_condition
#define deadline_after event_deadline_after
#include "04-coordination/event.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */
#undef make_condition
#undef deadline_after

#define make_condition barrier_make_condition
#define deadline_after barrier_deadline_after
#include "04-coordination/barrier.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */
#undef make_condition
#undef deadline_after

#endif
