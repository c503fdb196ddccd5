/* schema.h - for tests: does a JSON value have the documented form? The part of JSON Schema that our schemas use. */
#ifndef TESTS_SCHEMA_H
#define TESTS_SCHEMA_H

#include "memory.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

static inline bool schema_is_type(const json_t *value, const char *type)
{
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static inline bool schema_has_type(const json_t *value, const json_t *types)
{
    const json_t *type;
    size_t i;

    if (types == NULL)
        return true;
    if (json_is_string(types))
        return schema_is_type(value, json_string_value(types));
    json_array_foreach(types, i, type)
    {
        if (schema_is_type(value, json_string_value(type)))
            return true;
    }
    return false;
}

/* Does `value` fit `rule`, a part of `schema`? The first thing that does not, in words that go with `context` (talloc),
 * or NULL. */
static inline const char *schema_misfit(void *context, const json_t *schema, const json_t *rule, const json_t *value,
                                        const char *where)
{
    const json_t *reference = json_object_get(rule, "$ref"), *item;
    const char *key, *problem = NULL;
    size_t i;

    if (reference != NULL)
        return schema_misfit(
            context, schema,
            json_object_get(json_object_get(schema, "$defs"), strrchr(json_string_value(reference), '/') + 1), value,
            where);
    if (!schema_has_type(value, json_object_get(rule, "type")))
        return memory_format(context, "%s: wrong type", where);
    const json_t *choices = json_object_get(rule, "oneOf");
    json_array_foreach(choices, i, item)
    {
        if ((problem = schema_misfit(context, schema, item, value, where)) == NULL)
            return NULL;
    }
    if (choices != NULL)
        return problem;
    const json_t *constant = json_object_get(rule, "const"), *names = json_object_get(rule, "enum");
    if (constant != NULL && !json_equal(constant, value))
        return memory_format(context, "%s: not the constant", where);
    bool named = names == NULL;
    json_array_foreach(names, i, item) named = named || json_equal(item, value);
    if (!named)
        return memory_format(context, "%s: none of the names", where);
    const json_t *least = json_object_get(rule, "minimum");
    if (least != NULL && json_number_value(value) < json_number_value(least))
        return memory_format(context, "%s: too small", where);
    json_array_foreach(json_object_get(rule, "required"), i, item)
    {
        if (json_object_get(value, json_string_value(item)) == NULL)
            return memory_format(context, "%s: no %s", where, json_string_value(item));
    }
    json_array_foreach(value, i, item)
    {
        if ((problem = schema_misfit(context, schema, json_object_get(rule, "items"), item, where)) != NULL)
            return problem;
    }
    const json_t *properties = json_object_get(rule, "properties");
    json_object_foreach((json_t *)value, key, item)
    {
        const json_t *property = json_object_get(properties, key);
        if (property == NULL)
            return memory_format(context, "%s: %s is not in the schema", where, key);
        if ((problem = schema_misfit(context, schema, property, item, memory_format(context, "%s.%s", where, key))) !=
            NULL)
            return problem;
    }
    return problem;
}

#endif
