/* story.c - see story.h. */
#include "story.h"

#include "story_facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    bool (*tell)(struct story *);
} patterns[] = {
    {"spurious-wakeup", story_spurious},
    {"if-for-while", story_if_for_while},
    {"self-deadlock", story_self_deadlock},
    {"lock-order", story_lock_order},
    {"join-holding", story_join_holding},
    {"lock-kept", story_lock_kept},
    {"tested-outside-the-lock", story_tested_outside},
    {"signalled-before-the-wait", story_signalled_before},
    {"never-signalled", story_never_signalled},
    {"signal-to-the-wrong-waiter", story_wrong_waiter},
    {"swallowed-signal", story_swallowed},
    {"signal-for-many", story_one_of_many},
    {"barrier-count", story_barrier},
    {"semaphore-count", story_semaphore},
    {"thread-forgotten", story_thread_forgotten},
    {"notify-too-late", story_notify_late},
    {"freed-while-used", story_freed},
    {"destroyed-while-used", story_destroyed},
    {"relaxed-publication", story_relaxed},
    {"double-checked", story_double_checked},
    {"sleep-is-no-order", story_sleep_orders},
    {"lost-update", story_lost_update},
    {"check-then-act", story_check_then_act},
    {"unordered", story_race},
};

static void add(char *text, size_t size, const char *format, va_list list)
{
    size_t at = strlen(text);
    vsnprintf(text + at, size - at, format, list);
}

void story_say(struct story *story, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add(story->happened, sizeof story->happened, format, list);
    va_end(list);
}

void story_advise(struct story *story, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add(story->advice, sizeof story->advice, format, list);
    va_end(list);
}

void story_thread(struct story *story, int thread)
{
    if (thread >= 0)
        story->threads[thread / 32] |= 1U << thread % 32;
}

void story_row(struct story *story, int row)
{
    if (row == NO_ROW)
        return;
    if (row < story->from)
        story->from = row;
    story_thread(story, record.rows[row].thread);
}

/* Sentences begin with a capital letter: "thread 3" at the start of one is "Thread 3". */
static void capitalise(char *text)
{
    static const char word[] = "thread ";
    if (strncmp(text, word, strlen(word)) == 0)
        *text = 'T';
    for (char *at = text; (at = strstr(at, ". thread ")) != NULL; at++)
        at[2] = 'T';
}

bool story_tell(struct story *story)
{
    for (unsigned i = 0; i < sizeof patterns / sizeof patterns[0] && record.lost == 0; i++) {
        memset(story, 0, sizeof *story);
        story->from = (int)record.n;
        story->pattern = patterns[i].name;
        if (!patterns[i].tell(story))
            continue;
        capitalise(story->happened);
        return true;
    }
    memset(story, 0, sizeof *story);
    return false;
}

const char *story_pattern(unsigned index)
{
    return index < sizeof patterns / sizeof patterns[0] ? patterns[index].name : NULL;
}
