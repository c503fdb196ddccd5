/* memory_words.h - a sanitizer's report in a teacher's words.
 */
#ifndef GRADE_MEMORY_WORDS_H
#define GRADE_MEMORY_WORDS_H

#include "finding.h"
#include "sanitizer_log.h"
#include "scenario_run.h"

/* How telling a report is: lower is shown first. */
int memory_words_rank(const struct sanitizer_report *report);

/* Adds a finding for `report` to `result`: what happened, every place that the student can look at, and why it is
 * wrong. */
void memory_words_add(void *context, const struct workshop *shop, const struct scenario_run *run,
                      const struct sanitizer_report *report, struct stage_result *result);

/* Adds a finding for what a scenario left behind. */
void memory_words_add_remain(void *context, const struct workshop *shop, const struct remain *remain,
                             struct stage_result *result);

/* The scenario in which this stack lies: the one whose name is a function of it; NULL where that cannot be seen. */
const struct scenario_state *memory_words_scenario(const struct scenario_run *run, const struct trace *trace);

#endif
