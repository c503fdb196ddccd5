/* json_reader.c - see json_reader.h. */
#include "json_reader.h"

#include "memory.h"

const json_t *json_reader_member(struct json_reader *reader, const char *key, bool fits, const json_t *value)
{
    if (reader->failed || (value != NULL && fits))
        return reader->failed ? NULL : value;
    fault_set(reader->fault, "this is not a verdict: \"%s\" of %s is missing or not what it should be", key,
              reader->what);
    reader->failed = true;
    return NULL;
}

const char *json_reader_text(struct json_reader *reader, const char *key, bool needed)
{
    const json_t *value = json_object_get(reader->object, key);
    const json_t *good =
        json_reader_member(reader, key, json_is_string(value) || (!needed && json_is_null(value)), value);

    return good == NULL ? NULL : memory_text(reader->context, json_string_value(good));
}
