#include "command_explore.h"

#include "memory.h"
#include "page.h"
#include "screen_finding.h"
#include "screen_interleaving.h"
#include "verdict_words.h"

#include <limits.h>
#include <string.h>

static const struct stage_result *explored_of(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->result_count; i++)
        if (strcmp(verdict->results[i].stage, stage_name(STAGE_INTERLEAVINGS)) == 0)
            return &verdict->results[i];
    return NULL;
}

static void title(struct page *page, const struct verdict *verdict, const struct stage_result *result)
{
    size_t count = result->proof_count + result->finding_count;
    size_t wrong = result->finding_count;
    const char *state = wrong == 0 ? "nothing found"
                        : count == wrong
                            ? (wrong == 1 ? "it goes wrong" : "all go wrong")
                            : memory_format(page->context, "%zu go%s wrong", wrong, wrong == 1 ? "es" : "");

    page_line(page, "%s %s %zu scenario%s %s %s",
              page_paint(page, PAINT_STRONG, page_clean_line(page, verdict->exercise)),
              page_sign(page->screen, SIGN_DOT), count, count == 1 ? "" : "s", page_sign(page->screen, SIGN_DOT),
              page_paint(page, result->finding_count == 0 ? PAINT_GOOD : PAINT_BAD, state));
    page_line(page, "%s", "");
}

/* The command that shows it again; never wrapped, so that it comes off the screen in one piece. */
static void replay_line(struct page *page, const struct verdict *verdict, const struct finding *finding)
{
    if (finding->order != NULL)
        page_line(page, "  %s %s", page_paint(page, PAINT_QUIET, "Replay"),
                  verdict_replay(page, verdict, finding->order));
}

static void findings(struct page *page, const struct verdict *verdict, const struct stage_result *result)
{
    for (size_t i = 0; i < result->finding_count; i++) {
        const struct finding *finding = &result->findings[i];

        if (i == 0) {
            screen_finding(page, finding, (struct finding_room){0, 0, INT_MAX});
            replay_line(page, verdict, finding);
            continue;
        }
        page_line(page, "%s", "");
        page_paragraph(page, 0, PAINT_BAD, memory_format(page->context, "%s ", page_sign(page->screen, SIGN_FAILED)),
                       PAINT_PLAIN, finding->what, 0);
        replay_line(page, verdict, finding);
    }
    if (result->finding_count > 0 && result->proof_count > 0)
        page_line(page, "%s", "");
}

bool explore_print(FILE *out, const struct screen *screen, const struct verdict *verdict, const char **reason)
{
    const struct stage_result *result = explored_of(verdict);

    if (result != NULL && result->outcome == OUTCOME_SKIPPED && verdict->outcome != OUTCOME_FAILED) {
        *reason = result->reason;
        return false;
    }
    if (result == NULL || result->outcome == OUTCOME_SKIPPED || result->outcome == OUTCOME_INCONCLUSIVE ||
        verdict->outcome == OUTCOME_BROKEN) {
        screen_verdict(out, screen, verdict);
        return true;
    }
    struct page page = page_begin(memory_context(NULL), screen);
    if (result->finding_count + result->proof_count > 0)
        title(&page, verdict, result);
    else
        page_line(&page, "%s This interleaving ends well.", page_sign(screen, SIGN_PASSED));
    findings(&page, verdict, result);
    screen_proofs(&page, result->proofs, result->proof_count);
    page_write(&page, out);
    talloc_free(page.context);
    return true;
}
