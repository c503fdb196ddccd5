/* doctor.h - does each detector work on this machine?
 *
 * A broken detector finds nothing, which looks exactly like a student without mistakes. So before the first use of each
 * on a machine a program with a known mistake must be found, and the same program without it must be found clean. The
 * answer is kept in the cache under everything it depends on (the detector's version, the kernel, our flags, the
 * programs), so that it costs nothing afterwards. Only good answers are kept: a broken detector is tried again each
 * time.
 */
#ifndef GRADE_DOCTOR_H
#define GRADE_DOCTOR_H

#include "fault.h"
#include "toolchain.h"

#include <stdbool.h>
#include <stdio.h>

/* The detectors, by name: "helgrind", "tsan", "asan", "lsan", "ubsan", "msan", "criterion", "hang", "explorer".
 *
 * Makes sure that this one works here. Blocks: the first time as long as it takes to build and run two small programs
 * (about a second), afterwards for a look into the cache. A detector that does not work is a fault that names it and
 * says what to do. */
int doctor_require(void *context, struct workshop *shop, const char *detector, struct fault *fault);

/* Checks all of them, quietly unless `verbose` (then a line each on standard error). */
int doctor_check(void *context, const char *root, const char *cache_dir, bool verbose, struct fault *fault);

/* `grade doctor`: tries every detector afresh, prints a table to `out` and the facts of the machine (cores, kernel,
 * versions) below it. Returns 0 where all work, 1 where one does not (the table says which and what to do), -1 with a
 * fault where that cannot be tried. */
int doctor_report(void *context, const char *root, const char *cache_dir, FILE *out, struct fault *fault);

#endif
