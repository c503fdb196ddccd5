/* scenario_program.h - the scenario program with the student's file in it, in one flavour. */
#ifndef GRADE_SCENARIO_PROGRAM_H
#define GRADE_SCENARIO_PROGRAM_H

#include "finding.h"
#include "toolchain.h"

/* Compiles and links it. Where the student's file does not build in this flavour, although it passed the build stage,
 * `*program` is NULL, and a finding with the tool's words is added to `result`, which has failed. Returns -1 with a
 * fault where the tools themselves fail. */
int scenario_program_make(void *context, struct workshop *shop, enum flavour flavour, const char **program,
                          struct stage_result *result, struct fault *fault);

/* The same program with the reference in it; one that does not build is a fault. */
int scenario_program_reference(void *context, struct workshop *shop, enum flavour flavour, const char **program,
                               struct fault *fault);

#endif
