/* model.h - what the files of the model share. Every il_NAME is what the program's NAME has become: it returns what
 * POSIX (or C17, 7.26) says NAME returns, and ends the run with a finding where NAME would be undefined behaviour.
 */
#ifndef EXPLORE_MODEL_H
#define EXPLORE_MODEL_H

#include "engine.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

/* Virtual time: what the clocks read when a run begins. */
enum { START_REALTIME_S = 1700000000, START_MONOTONIC_S = 1000 };

/* A deadline on `clock` as virtual time in nanoseconds; NO_DEADLINE for NULL. 0 where it is past. -1 (false) where
 * tv_nsec is not below 10⁹. */
bool model_deadline(clockid_t clock, const struct timespec *at, uint64_t *deadline_ns);

/* The mutex again, after a wait: returns 0 or EOWNERDEAD. */
int model_mutex_taken(struct sync *mutex);
/* Gives it up, whatever its depth, and returns the depth. */
unsigned model_mutex_release(struct sync *mutex);
struct sync *model_mutex_of(void *address);
bool model_mutex_check_wait(const struct sync *mutex); /* may a wait give it up? false: EPERM */

/* A robust mutex whose owner ends. */
void model_locks_of_ended(void);

/* A thread of the scenario's own (model_harness.c): never refused, whatever faults are asked for. And its join: 0, or
 * as pthread_join. */
pthread_t model_thread_make(void *(*body)(void *), void *argument);
int model_thread_join(pthread_t handle);

/* exit(): handlers, destructors, and the end of the run. */
_Noreturn void model_exit(int status);
void model_run_at_exit(void); /* handlers and destructors only */

void model_process_reset(void); /* a new run */
void model_file_reset(void);
void model_stream_reset(void);
void model_environment_reset(void);
void model_named_reset(void);

/* Is this signal ignored, so that whatever raises it only fails? */
bool model_signal_ignored(int number);

/* A new thread has what its maker has, but for what the attributes (or NULL) say otherwise: before its first step. */
void model_attr_inherit(int child, const pthread_attr_t *attributes);
void model_signal_inherit(int child); /* a new thread blocks what its maker blocks */

/* The thread of a handle, or NULL. */
struct thread *model_thread_of(pthread_t handle);
/* Ends the run where the thread was joined, or is detached and has ended: the handle is nobody's any more. */
void model_check_lives(const struct thread *thread, const char *what);

/* A cancellation point that does not wait: does not return where the thread is to end. */
void model_cancel_point(void);
void model_cancel_here(void); /* the same, with no scheduling point before */
/* …and one that does (il_wish_for). */
bool model_wait(struct wish wish);
/* After a wait on a condition variable: it may have been cut off. */
void model_cancel_after_wait(void);
/* What <pthread.h>'s pthread_cleanup_push and its like call. */
void il___pthread_register_cancel(__pthread_unwind_buf_t *buffer);
void il___pthread_unregister_cancel(__pthread_unwind_buf_t *buffer);
_Noreturn void il___pthread_unwind_next(__pthread_unwind_buf_t *buffer);
/* Runs the cleanup handlers that are left, and ends the thread. */
_Noreturn void model_unwind(void);
/* Takes a thread that sleeps on a condition variable out of its queue. */
void model_cond_leave(const struct thread *thread);

/* Ends the run with a finding where a scenario of the harness has begun and not returned: nothing of it may end the
 * program, whatever the status (model_harness.c). */
void model_scenario_left(void);

/* A visible operation on the file behind a stream; nothing where it is the standard output or error. Ends the run where
 * it is the standard input, or not open (model_stream.c). */
void model_stream_turn(const FILE *file);

/* Needs scheduling points that were left out until now. */
void model_needs_unlock_points(void);

/* Waits until who has a limit could be seen to time out; the same for others where one is looked at. */
int model_cond_wait(void *cond, void *mutex, uint64_t deadline_ns);

/* Of the model, where one call is made of another. */
int il_sem_init(sem_t *semaphore, int shared, unsigned value);
int il_pthread_mutex_lock(pthread_mutex_t *mutex);
int il_pthread_mutex_trylock(pthread_mutex_t *mutex);
int il_pthread_mutex_unlock(pthread_mutex_t *mutex);
void *il_malloc(size_t size);
void *il_realloc(void *block, size_t size);
pid_t il_getpid(void);

#endif
