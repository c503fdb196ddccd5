/* helgrind_words.h - what helgrind reports, but for races, in a teacher's words; and which of it is no mistake.
 */
#ifndef GRADE_HELGRIND_WORDS_H
#define GRADE_HELGRIND_WORDS_H

#include "finding.h"
#include "scenario_run.h"
#include "valgrind_xml.h"

enum helgrind_weight {
    HELGRIND_NOTHING, /* not a mistake: defined behaviour, or what helgrind cannot know */
    HELGRIND_NOTE,    /* worth knowing */
    HELGRIND_MISTAKE,
};

/* What the error number `index` of the report weighs. The reasons stand in helgrind_words.c, at each rule. */
enum helgrind_weight helgrind_words_weight(void *context, const struct workshop *shop,
                                           const struct valgrind_report *report, size_t index);

/* True for a data race, which race_words.h tells. */
bool helgrind_words_is_race(const struct valgrind_error *error);

/* True where a line of the student's is in one of the stacks that show the mistake. */
bool helgrind_words_student_in(const struct workshop *shop, const struct valgrind_error *error);

/* True where both tell the same of the same line. */
bool helgrind_words_same(const struct workshop *shop, const struct valgrind_error *one,
                         const struct valgrind_error *other);

/* Adds a finding for an error that is not a race. */
void helgrind_words_add(void *context, const struct workshop *shop, const struct scenario_run *run,
                        const struct valgrind_report *report, const struct valgrind_error *error,
                        enum helgrind_weight weight, struct stage_result *result);

#endif
