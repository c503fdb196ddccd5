/* The rules: what the exercise forbids, and what would make any verdict worthless. Nothing of the student's has run
 * before this stage has passed. */
#include "stage.h"

#include "memory.h"
#include "rules.h"
#include "source.h"
#include "trace.h"

#include <string.h>

/* Whether the same was said already, or of the same line for the same reason. */
static bool said(const struct stage_result *result, const char *what, const char *why, int line)
{
    for (size_t i = 0; i < result->finding_count; i++) {
        const struct finding *finding = &result->findings[i];

        if (strcmp(finding->what, what) == 0)
            return true;
        if (line > 0 && finding->places[0].line == line && strcmp(finding->why, why) == 0)
            return true;
    }
    return false;
}

void rules_add(void *context, const struct workshop *shop, struct stage_result *result, const char *what,
               const char *why, int line)
{
    if (result->finding_count >= RULES_FINDINGS || said(result, what, why, line))
        return;
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, memory_text(context, what));
    finding->why = memory_text(context, why);
    struct place *place = finding_place(context, finding, trace_base_name(shop->source), line);
    if (line > 0)
        place->excerpt = source_line(context, shop->source, line);
}

int stage_rules(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault)
{
    const char *path = NULL;
    struct child_result log;
    struct object object;

    if (toolchain_compile(context, shop, FLAVOUR_PLAIN, &path, &log, fault) != 0)
        return -1;
    if (path == NULL)
        return fault_set(fault, "%s: compiled in the build stage, and no more", shop->exercise->id);
    if (rules_words(context, shop, result, fault) != 0 || object_open(context, path, &object, fault) != 0)
        return -1;
    int looked = rules_calls(context, shop, &object, result, fault);
    if (looked == 0)
        looked = rules_object(context, shop, &object, result, fault);
    object_close(&object);
    result->outcome = result->finding_count > 0 ? OUTCOME_FAILED : OUTCOME_PASSED;
    return looked;
}
