/* rules.h - the parts of the rules stage: what the source says, and what the object is made of.
 *
 * All add findings to `result` and return 0; -1 with a fault where the grader could not look. At most RULES_FINDINGS
 * findings in all are made; one is enough to fail, and a handful is enough to read.
 */
#ifndef GRADE_RULES_H
#define GRADE_RULES_H

#include "finding.h"
#include "object.h"
#include "toolchain.h"

#include <stdbool.h>

enum { RULES_FINDINGS = 5 };

/* One violation, with its line in the student's file (0: unknown). `what` and `why` are copied. */
void rules_add(void *context, const struct workshop *shop, struct stage_result *result, const char *what,
               const char *why, int line);

/* Words that may not stand in the source: the exercise's, assembly, attributes and pragmas that switch something off,
 * the insides of the library's types, questions about the compiler. */
int rules_words(void *context, struct workshop *shop, struct stage_result *result, struct fault *fault);

/* What the object calls, against the exercise's lists. */
int rules_calls(void *context, struct workshop *shop, struct object *object, struct stage_result *result,
                struct fault *fault);

/* What the object is: its sections, what it defines, its machine instructions. */
int rules_object(void *context, struct workshop *shop, struct object *object, struct stage_result *result,
                 struct fault *fault);

#endif
