/* tsan_look.c - the scenarios under ThreadSanitizer, for exercises that use atomics, which helgrind does not know.
 *
 * Theory: as in helgrind_look.c, but one run says all: the sanitizer's report names the locks of both sides.
 */
#include "doctor.h"
#include "memory.h"
#include "places.h"
#include "race_detectors.h"
#include "race_words.h"
#include "sanitizer_run.h"
#include "scenario_end.h"
#include "scenario_program.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 6 };

/* "(mutexes: write M0, read M12)" in a title: how many, and where each was created. */
static void tsan_locks(const struct sanitizer_report *report, struct race_side *side)
{
    side->held = 0;
    for (const char *at = strstr(side->trace->title, "(mutexes:"); at != NULL && *at != '\0'; at++) {
        if (at[0] != 'M' || !isdigit((unsigned char)at[1]))
            continue;
        char name[32];
        (void)snprintf(name, sizeof name, "Mutex M%ld (", strtol(at + 1, NULL, 10));
        for (size_t i = 0; i < report->trace_count && side->held < RACE_LOCKS_MAX; i++)
            if (strncmp(report->traces[i].title, name, strlen(name)) == 0)
                side->locks[side->held] = &report->traces[i];
        side->held++;
    }
}

/* "Thread T2 (tid=1234, finished) created by main thread at:" */
static const struct trace *tsan_created(const struct sanitizer_report *report, int thread)
{
    char name[32];

    (void)snprintf(name, sizeof name, "Thread T%d ", thread);
    for (size_t i = 0; i < report->trace_count; i++)
        if (strncmp(report->traces[i].title, name, strlen(name)) == 0)
            return &report->traces[i];
    return NULL;
}

static struct race_side tsan_side(const struct sanitizer_report *report, const struct trace *trace)
{
    const char *thread = strstr(trace->title, "thread T");
    struct race_side side = {.trace = trace, .root = thread == NULL};

    side.thread = thread == NULL ? 0 : (int)strtol(thread + 8, NULL, 10);
    side.write = strstr(trace->title, "rite of size") != NULL;
    side.created = tsan_created(report, side.thread);
    tsan_locks(report, &side);
    return side;
}

static struct race tsan_race(void *context, const struct sanitizer_report *report)
{
    struct race race = {.sides = {{.held = -1}, {.held = -1}}};
    static const char global[] = "Location is global '";

    if (report->trace_count > 0)
        race.sides[0] = tsan_side(report, &report->traces[0]);
    if (report->trace_count > 1 && strncmp(report->traces[1].title, "Previous ", 9) == 0)
        race.sides[1] = tsan_side(report, &report->traces[1]);
    for (size_t i = 0; i < report->note_count; i++)
        if (strncmp(report->notes[i], global, sizeof global - 1) == 0) {
            const char *name = report->notes[i] + sizeof global - 1;
            race.global = memory_text_n(context, name, strcspn(name, "'"));
        }
    return race;
}

/* What ThreadSanitizer reports beside races. */
static void tsan_misuse_add(void *context, const struct workshop *shop, const struct sanitizer_report *report,
                            struct stage_result *result)
{
    bool order = strncmp(report->kind, "lock-order-inversion", 20) == 0;
    const char *what = order ? "Locks are taken in one order here, and in another order there."
                             : memory_format(context, "ThreadSanitizer says: %s.", report->kind);
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, what);

    finding->why =
        order ? "When threads do this at the same time, each can come to hold the lock that another wants: then "
                "all wait for ever. Choose one order for all locks, and keep it everywhere."
              : "The threads library does not allow this.";
    for (size_t i = 0; i < report->trace_count && i < 4; i++)
        if (strncmp(report->traces[i].title, "Thread T", 8) != 0 && strstr(report->traces[i].title, "created") == NULL)
            (void)places_add_trace(context, shop, finding, &report->traces[i], NULL, NULL);
}

static bool tsan_student_in(const struct workshop *shop, const struct sanitizer_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        for (size_t k = 0; k < 2 && k < log->reports[i].trace_count; k++)
            if (places_student_in(shop, &log->reports[i].traces[k]))
                return true;
    return false;
}

static bool tsan_is_repeated(void *context, const struct workshop *shop, const struct sanitizer_log *log, size_t index)
{
    struct race race = tsan_race(context, &log->reports[index]);

    for (size_t i = 0; i < index; i++) {
        struct race before = tsan_race(context, &log->reports[i]);

        if (strcmp(log->reports[i].kind, log->reports[index].kind) == 0 && race_words_same(shop, &before, &race))
            return true;
    }
    return false;
}

static void tsan_tell(void *context, const struct workshop *shop, const struct sanitizer_sight *sight,
                      struct stage_result *result)
{
    for (size_t i = 0; i < sight->log.count && result->finding_count < FINDINGS_MAX; i++) {
        const struct sanitizer_report *report = &sight->log.reports[i];

        if (tsan_is_repeated(context, shop, &sight->log, i))
            continue;
        if (strncmp(report->kind, "data race", 9) == 0 || strstr(report->kind, "use-after-free") != NULL) {
            struct race race = tsan_race(context, report);
            race_words_add(context, shop, &sight->run, &race, result);
        } else {
            tsan_misuse_add(context, shop, report, result);
        }
    }
    if (result->finding_count > 0)
        result->outcome = OUTCOME_FAILED;
    else
        scenario_end_tell(context, shop, &sight->run, result);
}

int tsan_look(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    const char *program;
    struct sanitizer_sight sight;

    if (doctor_require(context, shop, "tsan", fault) != 0 ||
        scenario_program_make(context, shop, FLAVOUR_TSAN, &program, result, fault) != 0)
        return -1;
    if (program == NULL)
        return 0;
    if (sanitizer_run(context, shop, &sanitizer_threads, program, &sight, fault) != 0)
        return -1;
    result->checks = (int)sight.run.scenario_count;
    if (sanitizer_run_is_clean(&sight))
        return 0;
    if (!tsan_student_in(shop, &sight.log) && sanitizer_run_reference(context, shop, &sanitizer_threads, fault) != 0)
        return -1;
    tsan_tell(context, shop, &sight, result);
    return 0;
}
