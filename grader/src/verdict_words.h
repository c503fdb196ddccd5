/* verdict_words.h - a verdict in a few words, the same on every screen. Texts belong to page->context. */
#ifndef GRADE_VERDICT_WORDS_H
#define GRADE_VERDICT_WORDS_H

#include "page.h"

struct verdict_words {
    const char *sign;  /* clean */
    const char *state; /* clean: "passed", "fails at races", "not begun", … */
    enum paint paint;
};

struct verdict_words verdict_words(const struct page *page, const struct verdict *verdict);

/* The stage that failed, or NULL. */
const struct stage_result *verdict_failed_stage(const struct verdict *verdict);

/* The exercise it is about, or NULL where the screen has no course. */
const struct exercise *verdict_exercise(const struct screen *screen, const struct verdict *verdict);

/* The same, where it is about the student's own copy in exercises/, for which `make grade EX=…` and hints make sense;
 * else NULL. */
const struct exercise *verdict_own(const struct screen *screen, const struct verdict *verdict);

/* Whether it is about a starter that nobody has touched yet. Reads that file. */
bool verdict_is_beginning(const struct screen *screen, const struct verdict *verdict);

/* What to type for EX=: the name where no other exercise has it, else the id. */
const char *exercise_word(const struct course *course, const struct exercise *exercise);

/* The command that replays an interleaving of this verdict: "make replay EX=rlock TOKEN=…", and where it is not about
 * the student's own copy, the file. Clean. */
char *verdict_replay(const struct page *page, const struct verdict *verdict, const struct interleaving *order);

/* "███··" for 3 of 5; clean or painted. */
char *page_bar(const struct page *page, size_t full, size_t all);

#endif
