/* race_detectors.h - the two detectors of the races stage.
 *
 * Each runs the scenarios and adds its findings to `result`; where it has any, or the program does not come to its end,
 * the outcome becomes failed (or inconclusive), else it is left as it is. Returns -1 with a fault where the detector,
 * the exercise or the machine is at fault. Blocks until done.
 */
#ifndef GRADE_RACE_DETECTORS_H
#define GRADE_RACE_DETECTORS_H

#include "finding.h"
#include "toolchain.h"

int helgrind_look(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);
int tsan_look(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);

#endif
