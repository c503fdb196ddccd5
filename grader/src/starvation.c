/* starvation.c - see starvation.h. */
#include "starvation.h"

#include "memory.h"
#include "process.h"

#include <stdio.h>

static const double SLOW_S = 5; /* from here on it is looked at whether it gets a processor */
/* Who has used this part of its processor time and has not ended is busy for good, however little time there was. */
static const double BUSY_PART = 3;

static double thread_delay_s(pid_t pid, pid_t tid)
{
    char path[96];
    unsigned long long delayed_ns = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)tid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %llu", &delayed_ns) != 1)
        delayed_ns = 0;
    (void)fclose(file);
    return (double)delayed_ns * 1e-9;
}

double starvation_delay_s(pid_t pid)
{
    void *scratch = memory_context(NULL);
    struct pid_list threads = {0};
    double delay_s = 0;

    process_threads(scratch, pid, &threads);
    for (size_t i = 0; i < threads.count; i++)
        delay_s += thread_delay_s(pid, threads.pids[i]);
    talloc_free(scratch);
    return delay_s;
}

void starvation_look(struct starvation *starvation, pid_t pid, double running_s)
{
    double delay_s = running_s < SLOW_S ? 0 : starvation_delay_s(pid);

    if (delay_s > 0)
        starvation->delayed_s = delay_s;
}

bool starvation_found(const struct starvation *starvation, const struct child_result *result, double cpu_limit_s)
{
    bool busy = result->cpu_s > cpu_limit_s / BUSY_PART;

    return result->end == CHILD_TIMED_OUT && !busy && starvation->delayed_s > 0.5 * result->wall_s;
}
