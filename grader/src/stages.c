#include "stage.h"

#include "memory.h"
#include "now.h"

#include <sys/resource.h>

const struct stage stages[STAGE_COUNT] = {
    {STAGE_BUILD, "build", stage_build},    {STAGE_RULES, "rules", stage_rules},
    {STAGE_TESTS, "tests", stage_tests},    {STAGE_MEMORY, "memory", stage_memory},
    {STAGE_RACES, "races", stage_races},    {STAGE_INTERLEAVINGS, "interleavings", stage_interleavings},
    {STAGE_TIMING, "timing", stage_timing},
};

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Processor time of all children that have been waited for. */
static double children_cpu_s(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_CHILDREN, &usage) != 0)
        return 0;
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

int stage_run(void *context, struct workshop *shop, const struct stage *stage, struct stage_result *result,
              struct fault *fault)
{
    double began_s = now_s(), cpu_s = children_cpu_s();
    int ran = stage->run(context, shop, result, fault);

    if (ran != 0) {
        result->outcome = OUTCOME_BROKEN;
        result->reason = memory_text(context, fault->text);
    }
    result->wall_s = now_s() - began_s;
    result->cpu_s = children_cpu_s() - cpu_s;
    return ran;
}

bool stage_stops(const struct stage_result *result)
{
    return result->outcome == OUTCOME_FAILED || result->outcome == OUTCOME_BROKEN;
}
