#include "helgrind_locks.h"

#include "memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024 };

struct scanner {
    void *context;
    struct helgrind_locks *locks;
    struct locked_race *race; /* being read, or NULL */
    struct trace *trace;      /* where frames go, or NULL */
};

/* "   at 0x1092DF: counter_add (counter.c:31)" or "   by 0x48F01F4: start_thread (in /usr/lib/…)". */
static bool frame_line(struct scanner *scanner, const char *line)
{
    char function[256];
    char place[512];
    unsigned long long address;
    int got;

    while (*line == ' ')
        line++;
    if (strncmp(line, "at 0x", 5) != 0 && strncmp(line, "by 0x", 5) != 0)
        return false;
    got = sscanf(line + 3, "%llx: %255s (%511[^)])", &address, function, place);
    struct frame *frame = scanner->trace == NULL || got < 1 ? NULL : trace_add(scanner->context, scanner->trace);
    if (frame == NULL)
        return true;
    frame->address = address;
    if (got >= 2 && strcmp(function, "???") != 0)
        frame->function = memory_text(scanner->context, function);
    if (got < 3)
        return true;
    char *colon = strrchr(place, ':');
    if (strncmp(place, "in ", 3) == 0) {
        frame->module = memory_text(scanner->context, place + 3);
    } else if (colon != NULL && isdigit((unsigned char)colon[1])) {
        frame->line = (int)strtol(colon + 1, NULL, 10);
        *colon = '\0';
        frame->file = memory_text(scanner->context, trace_base_name(place));
    }
    return true;
}

static void lock_line(struct scanner *scanner, unsigned long long address)
{
    struct helgrind_locks *locks = scanner->locks;

    scanner->trace = NULL;
    for (size_t i = 0; i < locks->lock_count; i++)
        if (locks->locks[i].address == address)
            return;
    if (locks->lock_count == LOCKED_RACES_MAX)
        return;
    locks->locks = memory_grown(scanner->context, locks->locks, locks->lock_count + 1, sizeof *locks->locks);
    locks->locks[locks->lock_count] = (struct seen_lock){.address = address, .first = {.title = "", .thread = -1}};
    scanner->trace = &locks->locks[locks->lock_count++].first;
}

static void side_begin(struct scanner *scanner, struct locked_side *side, int thread)
{
    *side = (struct locked_side){.thread = thread, .held = -1, .trace = {.title = "", .thread = thread}};
    scanner->trace = &side->trace;
}

static void race_begin(struct scanner *scanner, int thread)
{
    struct helgrind_locks *locks = scanner->locks;

    scanner->race = NULL;
    scanner->trace = NULL;
    if (locks->race_count == LOCKED_RACES_MAX)
        return;
    locks->races = memory_grown(scanner->context, locks->races, locks->race_count + 1, sizeof *locks->races);
    scanner->race = &locks->races[locks->race_count++];
    *scanner->race = (struct locked_race){.sides = {{.held = -1}, {.held = -1}}};
    side_begin(scanner, &scanner->race->sides[0], thread);
}

/* "Locks held: none" or "Locks held: 2, at addresses 0x10C0C0 0x10C100". */
static void held_line(struct scanner *scanner, const char *rest)
{
    struct locked_race *race = scanner->race;

    if (race == NULL)
        return;
    struct locked_side *side = race->sides[1].thread != 0 ? &race->sides[1] : &race->sides[0];
    side->held = strncmp(rest, "none", 4) == 0 ? 0 : (int)strtol(rest, NULL, 10);
    int kept = 0;
    for (const char *at = strstr(rest, "0x"); at != NULL && kept < HELD_MAX; at = strstr(at + 2, "0x"))
        side->locks[kept++] = strtoull(at, NULL, 16);
    if (kept < side->held)
        side->held = -1;
}

static void line_read(struct scanner *scanner, const char *line)
{
    unsigned long long address;
    int thread;

    if (frame_line(scanner, line))
        return;
    while (*line == ' ')
        line++;
    if (sscanf(line, "Lock at 0x%llx was first observed", &address) == 1)
        lock_line(scanner, address);
    else if (sscanf(line, "Possible data race during %*s of size %*d at 0x%*x by thread #%d", &thread) == 1)
        race_begin(scanner, thread);
    else if (scanner->race != NULL &&
             sscanf(line, "This conflicts with a previous %*s of size %*d by thread #%d", &thread) == 1)
        side_begin(scanner, &scanner->race->sides[1], thread);
    else if (strncmp(line, "Locks held: ", 12) == 0)
        held_line(scanner, line + 12);
    else
        scanner->trace = NULL; /* the next stack is of something that nobody asked for */
}

/* Past "==1234== ", or NULL where the line is not valgrind's. */
static const char *valgrind_line(const char *line)
{
    if (strncmp(line, "==", 2) != 0)
        return NULL;
    line += 2;
    while (isdigit((unsigned char)*line))
        line++;
    return strncmp(line, "==", 2) == 0 ? line + 2 : NULL;
}

void helgrind_locks_read(void *context, const char *text, struct helgrind_locks *locks)
{
    struct scanner scanner = {.context = context, .locks = locks};
    char line[LINE_MAX_BYTES];

    *locks = (struct helgrind_locks){0};
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        size_t kept = length < sizeof line ? length : sizeof line - 1;

        memcpy(line, text, kept);
        line[kept] = '\0';
        const char *content = valgrind_line(line);
        if (content != NULL)
            line_read(&scanner, content);
        text += length + (text[length] == '\n');
    }
}
