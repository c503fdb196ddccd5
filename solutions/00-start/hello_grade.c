/* hello_grade.c - a greeting, made to order.
 *
 * Theory of operation: no threads of its own and no state. Each call works in memory that it has just allocated and
 * that nobody else knows of, so any number of threads may greet at the same time and no lock is needed.
 */
#include "hello_grade.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* region greeting */
int hello_grade(const char *name, char **greeting)
{
    if (name == NULL || greeting == NULL)
        return EINVAL;

    size_t size = strlen("Hello, !") + strlen(name) + 1; /* one more for the '\0' that ends every C string */
    char *text = malloc(size);
    if (text == NULL)
        return ENOMEM;

    snprintf(text, size, "Hello, %s!", name);
    *greeting = text;
    return 0;
}
/* end greeting */
