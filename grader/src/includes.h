/* includes.h - what the student's file may include: the headers of the C library, and the contracts it is written
 * against.
 *
 * Judged by the text, before any compiler reads it: a header may be a device that never ends, or the reference itself.
 */
#ifndef GRADE_INCLUDES_H
#define GRADE_INCLUDES_H

#include "finding.h"
#include "toolchain.h"

/* Adds a finding for each #include that is refused (at most three). Returns 0, or -1 with a fault where the copy of the
 * student's file cannot be read. */
int includes_check(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);

#endif
