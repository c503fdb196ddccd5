/* gate.h - ordering threads in tests, scenarios and benches without a clock, and without telling the race detectors.
 *
 * A gate makes "A has done this before B begins that" certain. Helgrind and ThreadSanitizer do not see it: to them the
 * two threads are as unordered as before, so a race is found in every run, not in lucky ones. (A mutex, a semaphore or
 * pthread_barrier_t used for the same purpose would hide the very race that the scenario is there to show.)
 * Theory: an int, atomics without the detectors' knowledge, and the futex call (futex(2)); waiting is sleeping.
 * All calls may be made from any thread. A gate may be static, or live on the stack of a function that outlives its
 * use.
 */
#ifndef HARNESS_GATE_H
#define HARNESS_GATE_H

/* Closed until gate_open(); then open for good. */
struct gate {
    int open;
};
#define GATE_CLOSED                                                                                                    \
    {                                                                                                                  \
        0                                                                                                              \
    }

void gate_open(struct gate *gate); /* wakes everyone who waits; does not block */
void gate_pass(struct gate *gate); /* blocks until it is open */

/* Opens when `size` threads are inside at once: the proof, without a clock, that they really are concurrent. */
struct crew {
    int size;
    int inside;
    struct gate full;
};
#define CREW_OF(n)                                                                                                     \
    {                                                                                                                  \
        (n), 0, GATE_CLOSED                                                                                            \
    }

void crew_meet(struct crew *crew); /* blocks until `size` threads have called it */

/* A counter that tests may add to and read from any thread, unseen by the detectors. */
struct tally {
    long value;
};
#define TALLY_ZERO                                                                                                     \
    {                                                                                                                  \
        0                                                                                                              \
    }

long tally_add(struct tally *tally, long amount); /* returns the new value */
long tally_read(struct tally *tally);

#endif
