#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ends the process where there is no memory: nothing sensible can be graded after that. */
static void *checked(void *memory)
{
    static const char message[] = "grade: out of memory; close something, or use fewer --jobs\n";

    if (memory != NULL)
        return memory;
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(2);
}

void *memory_context(void *parent)
{
    return checked(talloc_new(parent));
}

void *memory_zeroed(void *parent, size_t count, size_t size)
{
    return checked(_talloc_zero_array(parent, size, (unsigned)count, "zeroed"));
}

void *memory_grown(void *parent, void *old, size_t count, size_t size)
{
    return checked(_talloc_realloc_array(parent, old, size, (unsigned)count, "grown"));
}

char *memory_text(void *parent, const char *text)
{
    return text == NULL ? NULL : checked(talloc_strdup(parent, text));
}

char *memory_text_n(void *parent, const char *text, size_t length)
{
    return checked(talloc_strndup(parent, text, length));
}

char *memory_vformat(void *parent, const char *format, va_list arguments)
{
    return checked(talloc_vasprintf(parent, format, arguments));
}

char *memory_format(void *parent, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = memory_vformat(parent, format, arguments);
    va_end(arguments);
    return text;
}

char *memory_append(void *parent, char *text, const char *format, ...)
{
    va_list arguments;

    if (text == NULL)
        text = checked(talloc_strdup(parent, ""));
    va_start(arguments, format);
    char *longer = checked(talloc_vasprintf_append_buffer(text, format, arguments));
    va_end(arguments);
    return longer;
}
