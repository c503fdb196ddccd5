/* leftovers.h - for tests.c: whether what was made is given back, also by a call that fails half-way.
 *
 * exercise.ini must wrap the malloc family, and the init and destroy calls of mutexes and conditions. From the test's
 * own thread only.
 */
#ifndef HARNESS_LEFTOVERS_H
#define HARNESS_LEFTOVERS_H

#include "check.h"
#include "wrap.h"

#include <errno.h>
#include <stdbool.h>

/* Makes the `nth` call of `what` fail with EAGAIN, and asserts that `make`, which is the student's call `maker` with
 * what it makes destroyed again, returns that error and keeps nothing. `name` is that call, as the beginning of a
 * sentence. Where the student's code makes no such call, there is nothing to assert. */
__attribute__((unused)) static void must_keep_nothing(const char *maker, int (*make)(void), enum wrap_call what,
                                                      long nth, const char *name)
{
    long memory = wrap_memory_kept(), mutexes = wrap_mutexes_kept(), conditions = wrap_conditions_kept();
    long calls = wrap_count(what);

    wrap_fail(what, nth, EAGAIN);
    int error = make();
    wrap_fail(what, 0, 0);
    bool failed = wrap_count(what) - calls >= nth;
    memory = wrap_memory_kept() - memory;
    mutexes = wrap_mutexes_kept() - mutexes - (what == WRAP_pthread_mutex_init); /* the one that failed is none */
    conditions = wrap_conditions_kept() - conditions - (what == WRAP_pthread_cond_init);
    must(!failed || error == EAGAIN, "%s returned EAGAIN: %s should return it, but it returned %s.", name, maker,
         error_text(error));
    must(!failed || memory <= 0, "%s failed, and %s kept memory that it had allocated: it is lost.", name, maker);
    must(!failed || (mutexes <= 0 && conditions <= 0),
         "%s failed, and %s did not destroy a mutex or a condition that it had made before.", name, maker);
}

/* Refuses one piece of memory after another, and asserts that `make` (as above) returns ENOMEM, or does without, and
 * keeps nothing. */
__attribute__((unused)) static void must_bear_want(const char *maker, int (*make)(void))
{
    enum { PIECES = 8 }; /* beyond the last piece that it asks for it has all that it needs */
    static const enum wrap_call calls[] = {WRAP_malloc, WRAP_calloc, WRAP_realloc};

    for (int i = 0; i < 3 * PIECES; i++) {
        enum wrap_call call = calls[i % 3];
        long nth = i / 3 + 1, counted = wrap_count(call);
        long memory = wrap_memory_kept(), mutexes = wrap_mutexes_kept(), conditions = wrap_conditions_kept();

        wrap_fail(call, nth, ENOMEM);
        int error = make();
        wrap_fail(call, 0, 0);
        bool failed = wrap_count(call) - counted >= nth;
        memory = wrap_memory_kept() - memory - (failed && call != WRAP_realloc); /* the one that failed is none */
        must(error == 0 || (failed && error == ENOMEM), "%s %s all the memory that it asked for, and returned %s.",
             maker, failed ? "did not get" : "got", error_text(error));
        must(error == 0 || memory <= 0,
             "%s did not get piece %ld of its memory, and kept what it had got before: it is lost.", maker, nth);
        must(error == 0 || (wrap_mutexes_kept() <= mutexes && wrap_conditions_kept() <= conditions),
             "%s did not get piece %ld of its memory, and did not destroy a mutex or a condition that it had made.",
             maker, nth);
    }
}

/* Asserts that every mutex and condition that the student's code made is destroyed. */
__attribute__((unused)) static void must_have_ended_all(void)
{
    must(wrap_mutexes_kept() <= 0, "%ld mutexes were made with pthread_mutex_init, and %ld were destroyed.",
         wrap_count(WRAP_pthread_mutex_init), wrap_count(WRAP_pthread_mutex_destroy));
    must(wrap_conditions_kept() <= 0, "%ld conditions were made with pthread_cond_init, and %ld were destroyed.",
         wrap_count(WRAP_pthread_cond_init), wrap_count(WRAP_pthread_cond_destroy));
}

#endif
