/* thread_watch.h - which threads were neither joined nor detached. Linked into the scenario program of the memory stage
 * only (-Wl,--wrap=pthread_create,--wrap=pthread_join,--wrap=pthread_detach); elsewhere these are absent (weak).
 */
#ifndef HARNESS_THREAD_WATCH_H
#define HARNESS_THREAD_WATCH_H

/* Calls `each` for every thread that was created since the last thread_watch_forget() and is neither joined nor
 * detached, with the address behind the call that created it. Any thread; does not block for long. */
void thread_watch_left(void (*each)(void *context, void *created_at), void *context) __attribute__((weak));

/* Forgets all threads. */
void thread_watch_forget(void) __attribute__((weak));

#endif
