/* scarce.h - a machine that has no thread to give, for scenarios.
 *
 * Between scarce_threads(true) and scarce_threads(false) every pthread_create without attributes asks for a stack of
 * 64 TiB, more than any address space has, and fails with EAGAIN, natively and under the sanitizers. So the memory
 * stage sees what becomes of a call that cannot have its thread. Under valgrind nothing of the kind happens (helgrind
 * would call the failure itself a misuse): scarce_threads() then returns false, and the scenario has nothing to show.
 * Nor under the explorer, which lets calls fail by itself where it is asked to (exercise.ini: faults).
 * From the main thread only, while no other thread creates one.
 */
#ifndef HARNESS_SCARCE_H
#define HARNESS_SCARCE_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first #include: pthread_setattr_default_np is an extension"
#endif

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <valgrind/valgrind.h>

#ifdef INTERLEAVE

static inline bool scarce_threads(bool scarce)
{
    (void)scarce;
    return false;
}

#else

static inline bool scarce_threads(bool scarce)
{
    const size_t usual = (size_t)8 << 20, huge = (size_t)1 << 46;
    pthread_attr_t attributes;

    if (RUNNING_ON_VALGRIND)
        return false;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    bool done = pthread_attr_setstacksize(&attributes, scarce ? huge : usual) == 0 &&
                pthread_setattr_default_np(&attributes) == 0;
    pthread_attr_destroy(&attributes);
    return done;
}

#endif
#endif
