#include "verdict_words.h"

#include "memory.h"
#include "starter.h"

#include <string.h>

const struct stage_result *verdict_failed_stage(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->result_count; i++)
        if (verdict->results[i].outcome == OUTCOME_FAILED)
            return &verdict->results[i];
    return NULL;
}

const struct exercise *verdict_exercise(const struct screen *screen, const struct verdict *verdict)
{
    if (screen->course == NULL || verdict->exercise == NULL)
        return NULL;
    for (size_t i = 0; i < screen->course->count; i++)
        if (strcmp(screen->course->exercises[i].id, verdict->exercise) == 0)
            return &screen->course->exercises[i];
    return NULL;
}

/* Whether `path` is `below`, or ends with it below some folder. */
static bool ends_with_path(const char *path, const char *below)
{
    size_t length = strlen(path), wanted = strlen(below);

    return length >= wanted && strcmp(path + length - wanted, below) == 0 &&
           (length == wanted || path[length - wanted - 1] == '/');
}

const struct exercise *verdict_own(const struct screen *screen, const struct verdict *verdict)
{
    const struct exercise *exercise = verdict_exercise(screen, verdict);

    if (exercise == NULL || verdict->source == NULL || verdict->student != NULL)
        return NULL;

    const char *below = exercise->starter + strlen(screen->course->root) + 1; /* "exercises/02-locks/rlock/rlock.c" */

    return ends_with_path(verdict->source, below) ? exercise : NULL;
}

bool verdict_is_beginning(const struct screen *screen, const struct verdict *verdict)
{
    const struct exercise *exercise = verdict_own(screen, verdict);

    return exercise != NULL && verdict->outcome == OUTCOME_FAILED &&
           starter_untouched(screen->course, exercise, exercise->starter);
}

/* "timing", or "memory and timing": the stages with this outcome. */
static char *stages_with(const struct page *page, const struct verdict *verdict, enum outcome outcome)
{
    char *names = NULL;

    for (size_t i = 0; i < verdict->result_count; i++)
        if (verdict->results[i].outcome == outcome)
            names =
                memory_append(page->context, names, "%s%s", names == NULL ? "" : " and ", verdict->results[i].stage);
    return names == NULL ? NULL : page_clean_line(page, names);
}

static struct verdict_words failed_words(const struct page *page, const struct verdict *verdict)
{
    const struct stage_result *stage = verdict_failed_stage(verdict);

    if (verdict->missing)
        return (struct verdict_words){page_sign(page->screen, SIGN_FAILED), "no file", PAINT_BAD};
    if (verdict_is_beginning(page->screen, verdict))
        return (struct verdict_words){page_sign(page->screen, SIGN_EMPTY), "not begun", PAINT_QUIET};
    return (struct verdict_words){
        page_sign(page->screen, SIGN_FAILED),
        stage == NULL ? "fails" : memory_format(page->context, "fails at %s", page_clean_line(page, stage->stage)),
        PAINT_BAD,
    };
}

struct verdict_words verdict_words(const struct page *page, const struct verdict *verdict)
{
    const struct screen *screen = page->screen;

    switch (verdict->outcome) {
    case OUTCOME_PASSED:
        return (struct verdict_words){page_sign(screen, SIGN_PASSED), "passed", PAINT_GOOD};
    case OUTCOME_FAILED:
        return failed_words(page, verdict);
    case OUTCOME_INCONCLUSIVE: {
        const char *stages = stages_with(page, verdict, OUTCOME_INCONCLUSIVE);

        return (struct verdict_words){
            page_sign(screen, SIGN_UNSURE),
            memory_format(page->context, "passed; %s not judged", stages == NULL ? "something" : stages),
            PAINT_UNSURE,
        };
    }
    case OUTCOME_SKIPPED:
        return (struct verdict_words){page_sign(screen, SIGN_SKIPPED), "not graded", PAINT_QUIET};
    case OUTCOME_BROKEN:
        break;
    }
    return (struct verdict_words){page_sign(screen, SIGN_BROKEN), "no verdict: grader failed", PAINT_UNSURE};
}

const char *exercise_word(const struct course *course, const struct exercise *exercise)
{
    size_t namesakes = 0;

    for (size_t i = 0; course != NULL && i < course->count; i++)
        namesakes += strcmp(course->exercises[i].name, exercise->name) == 0;
    return namesakes > 1 ? exercise->id : exercise->name;
}

/* For the shell: as it is where it is plain, else between quotes. */
static char *shell_word(void *context, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-:=+,@";
    char *quoted = memory_text(context, "'");

    if (word[strspn(word, plain)] == '\0')
        return memory_text(context, word);
    for (; *word != '\0'; word++)
        quoted = memory_append(context, quoted, *word == '\'' ? "'\\''" : "%c", *word);
    return memory_append(context, quoted, "'");
}

char *verdict_replay(const struct page *page, const struct verdict *verdict, const struct interleaving *order)
{
    const struct exercise *exercise = verdict_exercise(page->screen, verdict);
    const char *word = exercise == NULL ? verdict->exercise : exercise_word(page->screen->course, exercise);
    char *command = memory_format(page->context, "make replay EX=%s TOKEN=%s", page_clean_line(page, word),
                                  shell_word(page->context, page_clean_line(page, order->token)));

    if (verdict_own(page->screen, verdict) == NULL && verdict->source != NULL)
        command = memory_append(page->context, command, " SOURCE=%s",
                                shell_word(page->context, page_clean_line(page, verdict->source)));
    return command;
}

char *page_bar(const struct page *page, size_t full, size_t all)
{
    char *done = memory_text(page->context, ""), *left = memory_text(page->context, "");

    for (size_t i = 0; i < all; i++) {
        if (i < full)
            done = memory_append(page->context, done, "%s", page_sign(page->screen, SIGN_FULL));
        else
            left = memory_append(page->context, left, "%s", page_sign(page->screen, SIGN_EMPTY));
    }
    return memory_format(page->context, "%s%s", page_paint(page, PAINT_GOOD, done),
                         page_paint(page, PAINT_QUIET, left));
}
