/* stillness.h - the proof, without a clock, that nothing will ever happen again.
 *
 * Theory. Look at every thread that descends from the grader: is it asleep in a system call that has no time limit of
 * its own (a lock, a join, a read), and how often has it been switched out? One look is not one moment. But where two
 * looks in a row find every thread asleep and no count changed, no thread has run between its two looks, so at the
 * moment between the looks all of them slept. Whoever sleeps without a limit wakes only when somebody does something;
 * and there is nobody left. That is a deadlock, proved, on an idle machine and on a loaded one. What could still wake
 * somebody is looked for: timers (timer_create, timerfd, a handler of SIGALRM), a receive time-out of a socket. Where
 * there is one there is no proof, and a limit of time must decide. Four looks rather than two leave the kernel's own
 * deferred work (packets on the loopback interface) time to arrive. Whatever the caller itself owes the threads, it
 * must have given before each look: read what they wrote.
 */
#ifndef GRADE_STILLNESS_H
#define GRADE_STILLNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct stillness;

/* Owned by `context`. */
struct stillness *stillness_new(void *context);

/* Does without the rule that a handler of SIGALRM may wake somebody: valgrind catches every signal there is. For
 * programs that cannot call alarm() or setitimer(), as none of the students' can. */
void stillness_ignore_alarms(struct stillness *stillness);

/* Looks once. True where this look and those before it prove that no thread of any process below the calling one will
 * ever run again. Call it every 20 to 50 ms, from one thread. Does not block. */
bool stillness_look(struct stillness *stillness);

/* Forgets the looks so far: something has changed. */
void stillness_reset(struct stillness *stillness);

/* What a sleeping thread sleeps in. */
struct sleeping_call {
    long number; /* of the system call; -1: in none */
    uint64_t arguments[6];
    bool endless; /* has no time limit */
};

/* False where the thread runs, or is gone. */
bool stillness_call(pid_t pid, pid_t tid, struct sleeping_call *call);

#endif
