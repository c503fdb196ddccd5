/* leftovers.c - a scenario for test_harness.c that leaves something of every kind, and one that fails. */
#include "scenario.h"

#include <fcntl.h>
#include <unistd.h>

static void *sleeps(void *unused)
{
    pause();
    return unused;
}

static void *ends(void *unused)
{
    return unused;
}

static void leaves(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, sleeps, NULL);
    pthread_create(&thread, NULL, ends, NULL);
    pthread_detach(thread);
    pthread_create(&thread, NULL, ends, NULL);
    pthread_join(thread, NULL);
    (void)open("/dev/null", O_RDONLY);
}

static void leaves_nothing(void)
{
    scenario_join(scenario_thread(ends, NULL));
    close(open("/dev/null", O_RDONLY));
}

static void fails(void)
{
    ensure(1 + 1 == 3, "one and one are %d, \"not\" 3", 1 + 1);
}

SCENARIOS = {
    {"leaves_nothing", leaves_nothing, "nothing is left"},
    {"leaves", leaves, "a thread and a descriptor are left"},
    {"leaves_nothing_again", leaves_nothing, "what was left before is not counted again"},
    {"fails", fails, "an ensure that does not hold"},
    {"never_comes", leaves_nothing, "is not reached"},
    SCENARIOS_END,
};
