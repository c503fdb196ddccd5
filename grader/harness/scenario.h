/* scenario.h - small concurrent scenarios: what helgrind, ThreadSanitizer, the sanitizers and the explorer all run.
 *
 *     #include "scenario.h"
 *     #include "counter.h"
 *
 *     static void two_adders(void) { … }
 *
 *     SCENARIOS = {
 *         {"two_adders", two_adders, "two threads add while nobody else looks"},
 *         SCENARIOS_END,
 *     };
 *
 * A scenario is a few threads and a few calls: as small as the mistake allows, since the explorer will run every
 * interleaving of it. It starts its threads with pthread_create and joins them, leaves nothing behind (no memory, no
 * thread, no descriptor) and calls every function of the contract somewhere, error paths included, so that the memory
 * stage sees them all. No sleeps, no clocks. Where a race shows in one order only, force that order with gates
 * (gate.h): the detectors do not see them. For the explorer all of this is compiled with -DINTERLEAVE, and gates and
 * the calls below are its own (grader/explore/model_harness.c); what it finds that no other detector can, and how a
 * scenario is written for it, stands in grader/README.md.
 */
#ifndef HARNESS_SCENARIO_H
#define HARNESS_SCENARIO_H

#include "gate.h"

#include <pthread.h>

struct scenario {
    const char *name;  /* as a C identifier */
    void (*run)(void); /* leaves nothing behind */
    const char *story; /* who does what, in one clause, for the student */
};

#define SCENARIOS const struct scenario scenarios[]
#define SCENARIOS_END                                                                                                  \
    {                                                                                                                  \
        0, 0, 0                                                                                                        \
    }

extern const struct scenario scenarios[];

/* Ends the program where `condition` does not hold, and tells the grader the sentence (printf's format). From any
 * thread. */
#define ensure(condition, ...)                                                                                         \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            scenario_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                                              \
    } while (0)

void scenario_failed(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5), noreturn));

/* pthread_create and pthread_join that end the program, as the grader's fault, where they fail. */
pthread_t scenario_thread(void *(*body)(void *), void *argument);
void scenario_join(pthread_t thread);

#endif
