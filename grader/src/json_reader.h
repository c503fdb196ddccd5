/* json_reader.h - reads member after member of one object of a verdict: the first that does not fit fills the fault,
 * and all later ones are left. */
#ifndef GRADE_JSON_READER_H
#define GRADE_JSON_READER_H

#include "fault.h"

#include <jansson.h>
#include <stdbool.h>

struct json_reader {
    void *context; /* of the texts that are read */
    const json_t *object;
    const char *what; /* "a finding", for the message */
    struct fault *fault;
    bool failed;
};

/* `value` where it is there and `fits`; else NULL, and the reading has failed. */
const json_t *json_reader_member(struct json_reader *reader, const char *key, bool fits, const json_t *value);

/* A copy of the text; NULL where it is null, which it may be where it is not `needed`. */
const char *json_reader_text(struct json_reader *reader, const char *key, bool needed);

#endif
