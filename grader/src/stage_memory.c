/* stage_memory.c - the scenarios under the sanitizers: does the code use only memory that it has, and give all of it
 * back?
 *
 * Theory: one program a compiler. gcc's has AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer, and counts
 * threads that nobody joins (harness/thread_watch.c); clang's has MemorySanitizer, which knows what was never set and
 * runs only where the first found nothing. Both write their findings to files in the workshop, not to standard error,
 * where the student's own output goes. A finding with no line of the student's in it may be a mistake of ours: then the
 * reference is run the same way, and where it shows one too, the grader is broken, not the student.
 */
#include "doctor.h"
#include "memory.h"
#include "memory_words.h"
#include "places.h"
#include "sanitizer_run.h"
#include "scenario_end.h"
#include "scenario_program.h"
#include "stage.h"

#include <string.h>

enum { FINDINGS_MAX = 8 };

/* ---- whose mistake it is ----------------------------------------------------------------------------------------- */

static bool student_in_report(const struct workshop *shop, const struct sanitizer_report *report)
{
    for (size_t i = 0; i < report->trace_count; i++)
        if (places_student_in(shop, &report->traces[i]))
            return true;
    return false;
}

/* "counter.c:12" of what a scenario left behind. */
static bool remain_is_students(void *context, const struct workshop *shop, const struct remain *remain)
{
    size_t length = strcspn(remain->text, ":");

    return remain->kind == REMAIN_UNJOINED &&
           places_owner(shop, trace_base_name(memory_text_n(context, remain->text, length))) == OWNER_STUDENT;
}

/* True where nothing that was seen has a line of the student's. */
static bool may_be_ours(void *context, const struct workshop *shop, const struct sanitizer_sight *sight)
{
    for (size_t i = 0; i < sight->log.count; i++)
        if (student_in_report(shop, &sight->log.reports[i]))
            return false;
    for (size_t i = 0; i < sight->run.remain_count; i++)
        if (remain_is_students(context, shop, &sight->run.remains[i]))
            return false;
    return true;
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

/* A thread that nobody joins leaks what the library keeps for it: said once, as the thread. */
static bool is_thread_leak(const struct sanitizer_report *report)
{
    if (report->sanitizer != SANITIZER_LEAK)
        return false;
    for (size_t i = 0; report->trace_count > 0 && i < report->traces[0].count; i++) {
        const char *function = report->traces[0].frames[i].function;

        if (function != NULL && strstr(function, "pthread_create") != NULL)
            return true;
    }
    return false;
}

/* Blocks that hang on a lost block are lost with it: only the first is a mistake of its own. */
static bool is_told_by_others(const struct sanitizer_sight *sight, const struct sanitizer_report *report)
{
    bool direct = false;

    for (size_t i = 0; i < sight->log.count; i++)
        direct = direct || strcmp(sight->log.reports[i].kind, "direct leak") == 0;
    return (strcmp(report->kind, "indirect leak") == 0 && direct) ||
           (is_thread_leak(report) && sight->run.remain_count > 0);
}

static const struct frame *leak_frame(const struct workshop *shop, const struct sanitizer_report *report)
{
    bool leak = report->sanitizer == SANITIZER_LEAK && report->trace_count > 0;

    return leak ? places_frame(shop, &report->traces[0]) : NULL;
}

static bool is_same_leak(const struct workshop *shop, const struct sanitizer_report *one,
                         const struct sanitizer_report *other)
{
    const struct frame *a = leak_frame(shop, one);
    const struct frame *b = leak_frame(shop, other);

    return a != NULL && b != NULL && a->line == b->line && strcmp(a->file, b->file) == 0;
}

/* Blocks that were allocated on one line, whoever called it, are one mistake: the first report counts for all. */
static void leaks_sum(const struct workshop *shop, struct sanitizer_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        for (size_t k = i + 1; k < log->count; k++)
            if (log->reports[k].objects > 0 && is_same_leak(shop, &log->reports[i], &log->reports[k])) {
                log->reports[i].bytes += log->reports[k].bytes;
                log->reports[i].objects += log->reports[k].objects;
                log->reports[k].objects = 0;
            }
}

static void reports_tell(void *context, const struct workshop *shop, struct sanitizer_sight *sight,
                         struct stage_result *result)
{
    enum { RANKS = 6 };

    leaks_sum(shop, &sight->log);
    for (int rank = 0; rank < RANKS; rank++)
        for (size_t i = 0; i < sight->log.count && result->finding_count < FINDINGS_MAX; i++) {
            const struct sanitizer_report *report = &sight->log.reports[i];
            bool summed = report->sanitizer == SANITIZER_LEAK && report->objects == 0;

            if (memory_words_rank(report) == rank && !summed && !is_told_by_others(sight, report))
                memory_words_add(context, shop, &sight->run, report, result);
        }
}

/* A thread that is still there and was never joined is one mistake. */
static bool remain_is_told(const struct scenario_run *run, const struct remain *remain)
{
    for (size_t i = 0; i < run->remain_count && remain->kind == REMAIN_THREAD; i++)
        if (run->remains[i].kind == REMAIN_UNJOINED && run->remains[i].scenario == remain->scenario)
            return true;
    return false;
}

/* The same mistake in several scenarios is one finding: the first time it is seen. */
static bool remain_is_repeated(const struct scenario_run *run, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (run->remains[i].kind == run->remains[index].kind &&
            (run->remains[i].kind != REMAIN_UNJOINED || strcmp(run->remains[i].text, run->remains[index].text) == 0))
            return true;
    return false;
}

static void remains_tell(void *context, const struct workshop *shop, const struct scenario_run *run,
                         struct stage_result *result)
{
    for (size_t i = 0; i < run->remain_count && result->finding_count < FINDINGS_MAX; i++)
        if (!remain_is_told(run, &run->remains[i]) && !remain_is_repeated(run, i))
            memory_words_add_remain(context, shop, &run->remains[i], result);
}

/* Runs one program and tells what it shows; `*silent` where it ended early and the sanitizer has no word about why. */
static int method_run(void *context, struct workshop *shop, const struct sanitizer_method *method,
                      struct stage_result *result, bool *silent, struct fault *fault)
{
    const char *program;
    struct sanitizer_sight sight;

    *silent = false;
    for (const char *const *detector = method->detectors; *detector != NULL; detector++)
        if (doctor_require(context, shop, *detector, fault) != 0)
            return -1;
    if (scenario_program_make(context, shop, method->flavour, &program, result, fault) != 0)
        return -1;
    if (program == NULL)
        return 0;
    if (sanitizer_run(context, shop, method, program, &sight, fault) != 0)
        return -1;
    result->checks = (int)sight.run.scenario_count;
    if (sanitizer_run_is_clean(&sight))
        return 0;
    if (may_be_ours(context, shop, &sight) && sanitizer_run_reference(context, shop, method, fault) != 0)
        return -1;
    reports_tell(context, shop, &sight, result);
    remains_tell(context, shop, &sight.run, result);
    result->outcome = OUTCOME_FAILED;
    if (sight.log.count > 0)
        return 0;
    *silent = !sight.run.complete && !sight.run.hung;
    scenario_end_tell(context, shop, &sight.run, result);
    return 0;
}

/* gcc's program first. clang's where that found nothing; or where the program went wrong without a word from the
 * sanitizer: a value that was never set may be why, and if it is, that is what to tell. */
int stage_memory(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    struct stage_result second = {.outcome = OUTCOME_PASSED};
    bool silent;
    bool ignored;

    result->outcome = OUTCOME_PASSED;
    if (method_run(context, shop, &sanitizer_gcc, result, &silent, fault) != 0)
        return -1;
    if (result->outcome != OUTCOME_PASSED && !silent)
        return 0;
    if (method_run(context, shop, &sanitizer_clang, &second, &ignored, fault) != 0)
        return -1;
    if (second.outcome == OUTCOME_PASSED || (silent && ignored))
        return 0;
    result->outcome = second.outcome;
    result->reason = second.reason;
    result->findings = second.findings;
    result->finding_count = second.finding_count;
    return 0;
}
