/* token.c - see token.h. */
#include "token.h"

#include <stdio.h>
#include <stdlib.h>

int token_write(const struct choices *choices, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "i%s%s%s%s%s%s%s%s", il.assume.unlock_silent ? "u" : "",
                                 il.assume.signal_silent ? "s" : "", il.assume.cancel_silent ? "" : "c",
                                 il.spurious ? "w" : "", il.faults ? "f" : "", il.sleeps_order ? "o" : "",
                                 il.leaks_allowed ? "l" : "", il.races_allowed ? "r" : "");
    unsigned firsts = 0;
    const char *dot = "";
    for (unsigned i = 0; i < choices->n && at < size; i++) {
        if (choices->at[i] == 0) {
            firsts++;
            continue;
        }
        at += (size_t)snprintf(text + at, size - at, "%s%u.%u", dot, firsts, choices->at[i]);
        dot = ".";
        firsts = 0;
    }
    return at < size ? 0 : -1;
}

static const char *read_letters(const char *text)
{
    if (*text++ != 'i')
        return NULL;
    il.assume = (struct assumptions){.cancel_silent = true};
    il.spurious = il.faults = il.sleeps_order = il.leaks_allowed = il.races_allowed = false;
    for (; *text >= 'a' && *text <= 'z'; text++) {
        if (*text == 'u')
            il.assume.unlock_silent = true;
        else if (*text == 's')
            il.assume.signal_silent = true;
        else if (*text == 'c')
            il.assume.cancel_silent = false;
        else if (*text == 'w')
            il.spurious = true;
        else if (*text == 'f')
            il.faults = true;
        else if (*text == 'o')
            il.sleeps_order = true;
        else if (*text == 'l')
            il.leaks_allowed = true;
        else if (*text == 'r')
            il.races_allowed = true;
        else
            return NULL;
    }
    return text;
}

static bool read_number(const char **text, unsigned long most, unsigned long *number)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    *number = strtoul(*text, &end, 10);
    *text = end;
    return *number <= most;
}

int token_read(const char *text, struct choices *choices)
{
    choices->n = 0;
    text = read_letters(text);
    if (!text)
        return -1;
    while (*text) {
        unsigned long firsts, choice;
        if (!read_number(&text, CHOICES_MAX, &firsts) || *text++ != '.' || !read_number(&text, 255, &choice) ||
            choices->n + firsts + 1 > CHOICES_MAX)
            return -1;
        while (firsts--)
            choices->at[choices->n++] = 0;
        choices->at[choices->n++] = (uint8_t)choice;
        if (*text == '.' && text[1])
            text++;
        else if (*text)
            return -1;
    }
    return 0;
}
