#include "finding.h"

#include "memory.h"

#include <string.h>

static const char *const outcome_names[] = {
    [OUTCOME_PASSED] = "passed",   [OUTCOME_FAILED] = "failed", [OUTCOME_INCONCLUSIVE] = "inconclusive",
    [OUTCOME_SKIPPED] = "skipped", [OUTCOME_BROKEN] = "broken",
};

const char *outcome_name(enum outcome outcome)
{
    return outcome_names[outcome];
}

int outcome_of(const char *name)
{
    for (size_t i = 0; i < sizeof outcome_names / sizeof *outcome_names; i++) {
        if (strcmp(outcome_names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

struct finding *finding_add(void *context, struct stage_result *result, enum severity severity, const char *what)
{
    size_t count = result->finding_count + 1;

    result->findings = memory_grown(context, result->findings, count, sizeof *result->findings);
    struct finding *finding = &result->findings[result->finding_count++];
    *finding = (struct finding){.severity = severity, .what = memory_text(context, what)};
    return finding;
}

struct place *finding_place(void *context, struct finding *finding, const char *file, int line)
{
    size_t count = finding->place_count + 1;

    finding->places = memory_grown(context, finding->places, count, sizeof *finding->places);
    struct place *place = &finding->places[finding->place_count++];
    *place = (struct place){.file = memory_text(context, file), .line = line};
    return place;
}

static enum outcome outcome_of_all(const struct verdict *verdict)
{
    enum outcome outcome = verdict->missing ? OUTCOME_FAILED : OUTCOME_PASSED;

    for (size_t i = 0; i < verdict->result_count; i++) {
        enum outcome one = verdict->results[i].outcome;

        if (one == OUTCOME_BROKEN)
            return OUTCOME_BROKEN;
        if (one == OUTCOME_FAILED)
            outcome = OUTCOME_FAILED;
        else if (one == OUTCOME_INCONCLUSIVE && outcome == OUTCOME_PASSED)
            outcome = OUTCOME_INCONCLUSIVE;
    }
    return outcome;
}

/* Being unable to tell costs nothing; being skipped costs nothing unless it is for a failure. */
static int points_earned(const struct stage_result *result, enum outcome verdict)
{
    switch (result->outcome) {
    case OUTCOME_PASSED:
        return result->max_points;
    case OUTCOME_INCONCLUSIVE:
    case OUTCOME_SKIPPED:
        return verdict == OUTCOME_PASSED || verdict == OUTCOME_INCONCLUSIVE ? result->max_points : 0;
    case OUTCOME_FAILED:
    case OUTCOME_BROKEN:
        break;
    }
    return 0;
}

void verdict_conclude(struct verdict *verdict)
{
    verdict->outcome = outcome_of_all(verdict);
    verdict->points = 0;
    verdict->max_points = 0;
    verdict->cpu_s = 0;
    for (size_t i = 0; i < verdict->result_count; i++) {
        struct stage_result *result = &verdict->results[i];

        result->points = points_earned(result, verdict->outcome);
        verdict->points += result->points;
        verdict->max_points += result->max_points;
        verdict->cpu_s += result->cpu_s;
        if (result->outcome == OUTCOME_BROKEN && verdict->reason == NULL)
            verdict->reason = result->reason;
    }
}
