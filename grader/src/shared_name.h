/* shared_name.h - what the memory is called that two lines of C race for.
 *
 * A detector knows the address; the lines know the name. Where exactly one thing is used by both lines, and assigned by
 * each line that the detector saw writing, that is it. In all other cases there is no answer, never a guess. Pure
 * functions.
 */
#ifndef GRADE_SHARED_NAME_H
#define GRADE_SHARED_NAME_H

#include <stdbool.h>

/* One line of C, and whether it was seen writing (else reading). */
struct access_line {
    const char *text;
    bool write;
};

/* "c->value" as the first line has it, owned by `context`; NULL where it cannot be told. Either text may be NULL. */
const char *shared_name(void *context, struct access_line one, struct access_line other);

/* True where `line` computes the new value of `name` from its old one: "x = x + 1", "x += 1", "x++". */
bool shared_name_is_updated(void *context, const char *line, const char *name);

#endif
