/* hello_grade.c - a greeting, made to order. A variant: the pieces are copied one behind the other. */
#include "hello_grade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Copies `text` without its end to `to`, and returns the place behind it. */
static char *put(char *to, const char *text)
{
    while (*text != '\0')
        *to++ = *text++;
    return to;
}

int hello_grade(const char *name, char **greeting)
{
    if (greeting == NULL || name == NULL)
        return EINVAL;

    char *text = realloc(NULL, strlen("Hello, ") + strlen(name) + strlen("!") + 1);
    if (text == NULL)
        return ENOMEM;

    char *end = put(text, "Hello, ");
    end = put(end, name);
    end = put(end, "!");
    *end = '\0';
    *greeting = text;
    return 0;
}
