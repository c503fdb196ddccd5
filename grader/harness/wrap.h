/* wrap.h - taking over library calls that the student's code makes, to fail one on purpose or to step in between two.
 *
 * exercise.ini names the calls: `[tests] wrap = pthread_create malloc`. The grader redirects those calls in the
 * student's object (and in no other) to wrap_NAME in the harness, for tests.c only. Unless told otherwise a wrapped
 * call does what the real one does. Counts and plans start afresh in every test. May be called from any thread; hooks
 * run in the thread that makes the call, with no lock of the harness held.
 */
#ifndef HARNESS_WRAP_H
#define HARNESS_WRAP_H

#include <stdbool.h>

enum wrap_call {
    WRAP_malloc,
    WRAP_calloc,
    WRAP_realloc,
    WRAP_free,
    WRAP_pthread_create,
    WRAP_pthread_join,
    WRAP_pthread_detach,
    WRAP_pthread_mutex_init,
    WRAP_pthread_mutex_destroy,
    WRAP_pthread_mutex_lock,
    WRAP_pthread_mutex_trylock,
    WRAP_pthread_mutex_timedlock,
    WRAP_pthread_mutex_unlock,
    WRAP_pthread_cond_init,
    WRAP_pthread_cond_destroy,
    WRAP_pthread_cond_wait,
    WRAP_pthread_cond_timedwait,
    WRAP_pthread_cond_signal,
    WRAP_pthread_cond_broadcast,
    WRAP_pthread_key_create,
    WRAP_pthread_key_delete,
    WRAP_sched_yield,
    WRAP_usleep,
    WRAP_nanosleep,
    WRAP_CALLS
};

/* How often the student's code has made this call in this test, failures included. */
long wrap_count(enum wrap_call call);

/* How many pieces of memory the student's code has allocated and not freed in this test, and how many mutexes and
 * conditions it has made and not destroyed, calls that failed included; less, where it frees NULL, or destroys what a
 * PTHREAD_…_INITIALIZER made. exercise.ini must wrap these calls. */
long wrap_memory_kept(void);
long wrap_mutexes_kept(void);
long wrap_conditions_kept(void);

/* Makes the `nth` call from now (1 is the next) fail with this errno value: pthread calls return it, the malloc family
 * returns NULL and sets errno. Nothing is done by the failed call. `nth` 0 takes the plan back; -1 fails every call.
 * A pthread_cond_wait or pthread_cond_timedwait that "fails" with 0 returns at once, with the mutex held, although
 * nobody has signalled: a spurious wake-up. Any other call that "fails" with 0 does nothing and says that it succeeded:
 * a pthread_cond_signal or _broadcast then is one that is still on its way. */
void wrap_fail(enum wrap_call call, long nth, int error);

/* The same for the nth malloc, the nth calloc and the nth realloc, with ENOMEM. */
void wrap_fail_memory(long nth);

/* With `lose`, every pthread_cond_signal and _broadcast from now on gets lost on its way; without, none any more. */
void wrap_lose_signals(bool lose);

/* Has `hook(argument)` called before / after every real call of this kind that the student's code makes (after: only
 * where it succeeded). NULL takes it back. In a hook, wrapped calls of the hook's own thread pass straight through. */
void wrap_before(enum wrap_call call, void (*hook)(void *), void *argument);
void wrap_after(enum wrap_call call, void (*hook)(void *), void *argument);

/* Has `hook(argument)` called in every thread that the student's code starts from now on, before the function it was
 * started with (exercise.ini must wrap pthread_create): with a gate as its argument, the new thread is held until the
 * test lets it go. NULL takes it back. */
void wrap_in_thread(void (*hook)(void *), void *argument);

#endif
