/* scenario_end.h - how a scenario program ended, where it did not end as it should, for the memory and races stages.
 */
#ifndef GRADE_SCENARIO_END_H
#define GRADE_SCENARIO_END_H

#include "finding.h"
#include "scenario_run.h"

/* One clause for a fault: "an ensure() did not hold: …", "ended by signal 11 …", "left something behind". */
const char *scenario_end_text(void *context, const struct scenario_run *run);

/* Adds the finding for a run that was not complete (an ensure() that did not hold, a crash, a hang, an early end, a
 * flood) and sets the outcome: failed, or inconclusive where the machine gave the program no time. Where the run was
 * complete nothing is done. */
void scenario_end_tell(void *context, const struct workshop *shop, const struct scenario_run *run,
                       struct stage_result *result);

/* "Seen in the scenario NAME: STORY."; NULL for NULL. */
const char *scenario_end_seen(void *context, const struct scenario_state *scenario);

#endif
