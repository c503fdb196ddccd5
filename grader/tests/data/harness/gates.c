/* gates.c - scenarios for test_harness.c: with -DRACE there is one race in each, which only its gate orders. */
#include "scenario.h"

#ifdef RACE
enum { RACE_HERE = 1 };
#else
enum { RACE_HERE = 0 };
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int guarded;
/* One for each scenario, far apart: ThreadSanitizer tells of an address once. */
static volatile long shared[3][64];

static void count(void)
{
    pthread_mutex_lock(&mutex);
    guarded++;
    pthread_mutex_unlock(&mutex);
}

static void *writes_then_opens(void *gate)
{
    if (RACE_HERE)
        shared[0][0] = 1;
    gate_open(gate);
    return NULL;
}

static void *passes_then_writes(void *gate)
{
    gate_pass(gate);
    shared[0][0] = 2;
    return NULL;
}

static void run_two(void *(*first)(void *), void *(*second)(void *), void *argument)
{
    pthread_t one = scenario_thread(first, argument), two = scenario_thread(second, argument);

    scenario_join(one);
    scenario_join(two);
}

static void gate_only(void)
{
    struct gate gate = GATE_CLOSED;

    run_two(writes_then_opens, passes_then_writes, &gate);
}

/* In the other order the mutex would hide the race: the writer comes to it first. */
static void *locks_then_writes(void *gate)
{
    count();
    shared[1][0] = 3;
    gate_open(gate);
    return NULL;
}

static void *writes_then_locks(void *gate)
{
    gate_pass(gate);
    if (RACE_HERE)
        shared[1][0] = 4;
    count();
    return NULL;
}

static void hidden_by_a_mutex(void)
{
    struct gate gate = GATE_CLOSED;

    run_two(locks_then_writes, writes_then_locks, &gate);
}

struct meeting {
    struct crew crew;
    struct tally tally;
};

static void *meets(void *argument)
{
    struct meeting *meeting = argument;

    tally_add(&meeting->tally, 1);
    crew_meet(&meeting->crew);
    if (RACE_HERE)
        shared[2][0]++;
    ensure(tally_read(&meeting->tally) == 2, "the crew met before both were there: %ld", tally_read(&meeting->tally));
    return NULL;
}

static void crew_and_tally(void)
{
    struct meeting meeting = {CREW_OF(2), TALLY_ZERO};

    run_two(meets, meets, &meeting);
}

SCENARIOS = {
    {"gate_only", gate_only, "one writes, opens a gate; the other passes it and writes"},
    {"hidden_by_a_mutex", hidden_by_a_mutex, "both count under a mutex, in the order that the gate makes"},
    {"crew_and_tally", crew_and_tally, "two meet"},
    SCENARIOS_END,
};
