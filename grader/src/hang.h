/* hang.h - what the threads of a test that does not end are waiting for, and what that adds up to.
 *
 * Theory: where each thread stands comes from its stack (stacks.h), what it sleeps in from /proc (stillness.h), and who
 * owns the mutex it wants from the mutex itself: glibc keeps the owner's thread id in it (struct __pthread_mutex_s,
 * sysdeps/nptl/bits/struct_mutex.h: lock, count, owner), read with process_vm_readv(2). From "who waits for whom" come
 * the circles. Everything is read while the threads stand still; afterwards the caller ends the process.
 */
#ifndef GRADE_HANG_H
#define GRADE_HANG_H

#include "fault.h"
#include "finding.h"
#include "stacks.h"
#include "toolchain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum wait_kind {
    WAIT_NOTHING, /* it runs */
    WAIT_MUTEX,   /* also one that a condition gives back */
    WAIT_CONDITION,
    WAIT_JOIN,
    WAIT_SEMAPHORE,
    WAIT_BARRIER,
    WAIT_GATE, /* the test's own */
    WAIT_TIME, /* sleeps, or waits with a time limit */
    WAIT_CALL, /* another call: read, wait, … */
};

struct hang_thread {
    int number; /* 1: the test's own thread; others by start */
    pid_t pid;
    pid_t tid;
    struct trace trace;
    const struct frame *shown; /* the frame to show; NULL: nothing of the student's or the test's is on its stack */
    bool in_student;           /* `shown` lies in the student's file, or in one it needs */
    enum wait_kind wait;
    const char *call;   /* "pthread_mutex_lock", or NULL */
    const char *object; /* the argument as the source has it, "&to->mutex", or NULL */
    uint64_t address;   /* of the mutex; 0: unknown */
    pid_t wants_tid;    /* the thread it waits for (owner, joined thread); 0: nobody; -1: unknown */
    const char *name;   /* of the lock: "lock A", "`&to->mutex`"; NULL: none */
};

struct hang {
    struct hang_thread *threads; /* those of the harness left out */
    size_t count;
};

/* Reads all threads of the process `pid` and of its descendants, but those in `harness` (`harness_count` thread ids).
 * All belongs to `context`. A fault where nothing can be read. */
int hang_read(void *context, const struct workshop *shop, pid_t pid, const pid_t *harness, size_t harness_count,
              struct hang *hang, struct fault *fault);

/* What it adds up to, in a sentence or two for the student ("Each waits for what the other holds: a deadlock."); NULL
 * where that cannot be told. Owned by `context`. */
const char *hang_diagnosis(void *context, const struct hang *hang);

/* Adds a place to the finding for every thread that has something to show. */
void hang_places(void *context, const struct workshop *shop, const struct hang *hang, struct finding *finding);

#endif
