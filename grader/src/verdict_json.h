/* verdict_json.h - verdicts as JSON, out and in.
 *
 * The form is grader/schema/verdict.schema.json. Whatever a student's program or file name put into a verdict comes out
 * as valid UTF-8 without NUL (U+FFFD for what is not), each text at most 64 KiB.
 */
#ifndef GRADE_VERDICT_JSON_H
#define GRADE_VERDICT_JSON_H

#include "fault.h"
#include "finding.h"

#include <jansson.h>
#include <stddef.h>

enum { VERDICT_SCHEMA_VERSION = 1 };

/* One verdict. The caller owns the reference. Never NULL. */
json_t *verdict_to_json(const struct verdict *verdict);

/* The verdict that `json` describes, owned by `context`; NULL with a fault where it has not the form. */
struct verdict *verdict_from_json(void *context, const json_t *json, struct fault *fault);

/* The report of one run, the whole file that --json writes: schema and grader version, machine, sums, all verdicts.
 * `student` may be NULL. The caller owns the reference. */
json_t *report_to_json(const char *student, const struct verdict *const *verdicts, size_t count);

/* Writes a report to `path`: whole or not at all; "-" is standard output. */
int report_write(const json_t *report, const char *path, struct fault *fault);

/* `size` bytes as valid UTF-8 without NUL: U+FFFD for each byte that is none, cut with "…" above the bound. Owned by
 * `context`. */
char *json_clean_text(void *context, const char *bytes, size_t size);

#endif
