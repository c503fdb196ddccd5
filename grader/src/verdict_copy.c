/* verdict_copy.c - a verdict that outlives the one it was made from. */
#include "memory.h"
#include "pool.h"

static void copy_places(void *context, struct finding *finding)
{
    const struct place *from = finding->places;

    finding->places = memory_zeroed(context, finding->place_count, sizeof *finding->places);
    for (size_t i = 0; i < finding->place_count; i++) {
        finding->places[i] = (struct place){
            .file = memory_text(context, from[i].file),
            .line = from[i].line,
            .excerpt = memory_text(context, from[i].excerpt),
            .who = memory_text(context, from[i].who),
            .note = memory_text(context, from[i].note),
        };
    }
}

static void copy_findings(void *context, struct stage_result *result)
{
    const struct finding *from = result->findings;

    result->findings = memory_zeroed(context, result->finding_count, sizeof *result->findings);
    for (size_t i = 0; i < result->finding_count; i++) {
        struct finding *finding = &result->findings[i];

        *finding = from[i];
        finding->what = memory_text(context, from[i].what);
        finding->why = memory_text(context, from[i].why);
        finding->detail = memory_text(context, from[i].detail);
        finding->read = memory_text(context, from[i].read);
        finding->order = interleaving_copy(context, from[i].order);
        copy_places(context, finding);
    }
}

struct verdict *verdict_copy(void *context, const struct verdict *verdict)
{
    struct verdict *copy = memory_zeroed(context, 1, sizeof *copy);

    *copy = *verdict;
    copy->exercise = memory_text(copy, verdict->exercise);
    copy->title = memory_text(copy, verdict->title);
    copy->student = memory_text(copy, verdict->student);
    copy->source = memory_text(copy, verdict->source);
    copy->reason = memory_text(copy, verdict->reason);
    copy->results = memory_zeroed(copy, verdict->result_count, sizeof *copy->results);
    for (size_t i = 0; i < verdict->result_count; i++) {
        copy->results[i] = verdict->results[i];
        copy->results[i].stage = memory_text(copy, verdict->results[i].stage);
        copy->results[i].reason = memory_text(copy, verdict->results[i].reason);
        copy->results[i].proofs = proofs_copy(copy, verdict->results[i].proofs, verdict->results[i].proof_count);
        copy_findings(copy, &copy->results[i]);
    }
    return copy;
}
