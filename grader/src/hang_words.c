/* hang_words.c - what a hang adds up to, and how it is said. */
#include "hang.h"

#include "memory.h"
#include "places.h"
#include "process.h"
#include "source.h"

#include <string.h>

/* ---- who waits for whom ------------------------------------------------------------------------------------------ */

static const struct hang_thread *thread_of_tid(const struct hang *hang, pid_t tid)
{
    for (size_t i = 0; tid > 0 && i < hang->count; i++)
        if (hang->threads[i].tid == tid)
            return &hang->threads[i];
    return NULL;
}

/* The thread that `thread` cannot go on without, or NULL. */
static const struct hang_thread *wants(const struct hang *hang, const struct hang_thread *thread)
{
    return thread->wait == WAIT_MUTEX || thread->wait == WAIT_JOIN ? thread_of_tid(hang, thread->wants_tid) : NULL;
}

/* The length of the circle that `thread` is part of; 0 where it is in none. */
static size_t circle_length(const struct hang *hang, const struct hang_thread *thread)
{
    const struct hang_thread *at = thread;

    for (size_t length = 1; length <= hang->count; length++) {
        at = wants(hang, at);
        if (at == NULL)
            return 0;
        if (at == thread)
            return length;
    }
    return 0;
}

static const struct hang_thread *find_circle(const struct hang *hang)
{
    for (size_t i = 0; i < hang->count; i++)
        if (circle_length(hang, &hang->threads[i]) > 0)
            return &hang->threads[i];
    return NULL;
}

static const char *lock_name(const struct hang_thread *thread)
{
    return thread->name != NULL ? thread->name : "the mutex";
}

static const char *circle_words(void *context, const struct hang *hang, const struct hang_thread *first)
{
    size_t length = circle_length(hang, first);
    bool joins = false;

    for (const struct hang_thread *at = first;;) {
        joins = joins || at->wait == WAIT_JOIN;
        at = wants(hang, at);
        if (at == first)
            break;
    }
    if (length == 1)
        return first->wait == WAIT_JOIN
                   ? memory_format(context, "Thread %d waits for its own end.", first->number)
                   : memory_format(
                         context,
                         "Thread %d wants a lock that it holds itself: it is still locked from before. A mutex "
                         "lets nobody in a second time, not even its owner.",
                         first->number);
    if (length == 2 && !joins)
        return memory_text(context, "Each waits for what the other holds: a deadlock.");
    if (joins)
        return memory_text(context, "They wait in a circle: one waits for the other to end, and that one wants a lock "
                                    "which the first holds. A deadlock.");
    return memory_text(context, "They wait in a circle, each for a lock that the next one holds: a deadlock.");
}

/* ---- a lock that nobody will give back --------------------------------------------------------------------------- */

static const char *held_words(void *context, const struct hang *hang, const struct hang_thread *waiting)
{
    const struct hang_thread *owner = thread_of_tid(hang, waiting->wants_tid);
    const char *lock = lock_name(waiting);

    if (waiting->wants_tid == 0)
        return memory_format(context,
                             "Thread %d wants %s, which looks locked although no thread holds it: was it initialised, "
                             "or destroyed or overwritten too early?",
                             waiting->number, lock);
    if (owner == NULL)
        return memory_format(context, "The thread that locked %s has ended and never unlocked it.", lock);
    if (owner->wait == WAIT_CONDITION || owner->wait == WAIT_SEMAPHORE || owner->wait == WAIT_TIME)
        return memory_format(context, "Thread %d sleeps while it holds %s, which thread %d needs.", owner->number, lock,
                             waiting->number);
    if (!owner->in_student)
        return memory_format(context, "Thread %d came out of the call that locked %s and never unlocked it.",
                             owner->number, lock);
    return memory_format(context, "Thread %d holds %s and does not come to unlock it.", owner->number, lock);
}

/* The first thread that waits like this, and in the student's code where there is such a one. */
static const struct hang_thread *find_wait(const struct hang *hang, enum wait_kind kind)
{
    const struct hang_thread *first = NULL;

    for (size_t i = 0; i < hang->count; i++) {
        if (hang->threads[i].wait != kind)
            continue;
        if (hang->threads[i].in_student)
            return &hang->threads[i];
        if (first == NULL)
            first = &hang->threads[i];
    }
    return first;
}

static size_t count_wait(const struct hang *hang, enum wait_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < hang->count; i++)
        if (hang->threads[i].wait == kind && hang->threads[i].in_student)
            count++;
    return count;
}

static const char *condition_words(void *context, const struct hang *hang, const struct hang_thread *thread)
{
    size_t count = count_wait(hang, WAIT_CONDITION);

    if (count > 1)
        return memory_format(
            context,
            "%zu threads sleep on a condition and nobody is left to wake them: the signal did not come, "
            "came before they slept, or went to one that had no use for it.",
            count);
    return memory_format(
        context,
        "Thread %d sleeps on a condition and nobody is left to wake it: the signal did not come, or came "
        "before it slept.",
        thread->number);
}

const char *hang_diagnosis(void *context, const struct hang *hang)
{
    if (hang->threads == NULL)
        return NULL; /* nothing could be read */

    const struct hang_thread *circle = find_circle(hang);
    const struct hang_thread *mutex = find_wait(hang, WAIT_MUTEX);
    const struct hang_thread *condition = find_wait(hang, WAIT_CONDITION);
    const struct hang_thread *semaphore = find_wait(hang, WAIT_SEMAPHORE);
    const struct hang_thread *barrier = find_wait(hang, WAIT_BARRIER);
    const struct hang_thread *running = find_wait(hang, WAIT_NOTHING);
    const struct hang_thread *call = find_wait(hang, WAIT_CALL);

    if (circle != NULL)
        return circle_words(context, hang, circle);
    if (running != NULL && running->in_student)
        return memory_format(context, "Thread %d runs in circles: what it waits for in that loop does not come.",
                             running->number);
    if (mutex != NULL)
        return held_words(context, hang, mutex);
    if (condition != NULL)
        return condition_words(context, hang, condition);
    if (semaphore != NULL)
        return memory_format(context, "Thread %d waits for a semaphore that nobody is left to post.",
                             semaphore->number);
    if (barrier != NULL)
        return memory_format(context, "Thread %d waits at a barrier that not enough threads come to.", barrier->number);
    if (call != NULL && call->in_student)
        return memory_format(context, "Thread %d waits for something that nobody is left to do.", call->number);
    if (find_wait(hang, WAIT_GATE) != NULL)
        return memory_text(context, "A thread never came to where the test's own gate would have been opened.");
    return NULL;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* "holds lock A and lock B, " or "": what others want from this thread. */
static char *holds_words(void *context, const struct hang *hang, const struct hang_thread *thread)
{
    char *words = memory_text(context, "");
    const char *names[8];
    size_t count = 0;

    for (size_t i = 0; i < hang->count && count < 8; i++) {
        const struct hang_thread *other = &hang->threads[i];
        if (other->wait != WAIT_MUTEX || other->wants_tid != thread->tid || other->name == NULL)
            continue;
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(names[j], other->name) == 0;
        if (!known)
            names[count++] = other->name;
    }
    for (size_t i = 0; i < count; i++)
        words = memory_append(context, words, "%s%s", i == 0 ? "holds " : " and ", names[i]);
    return words;
}

static const char *whose_words(void *context, const struct hang *hang, const struct hang_thread *thread)
{
    const struct hang_thread *owner = thread_of_tid(hang, thread->wants_tid);

    if (owner == thread)
        return "";
    if (owner != NULL)
        return memory_format(context, " (held by thread %d)", owner->number);
    return thread->wants_tid > 0 ? " (held by a thread that has ended)" : "";
}

static const char *wants_words(void *context, const struct hang *hang, const struct hang_thread *thread)
{
    const struct hang_thread *other = wants(hang, thread);

    switch (thread->wait) {
    case WAIT_MUTEX:
        return memory_format(context, "wants %s%s", lock_name(thread), whose_words(context, hang, thread));
    case WAIT_JOIN:
        return other == NULL ? "waits for a thread to end"
                             : memory_format(context, "waits for thread %d to end", other->number);
    case WAIT_CONDITION:
        return "sleeps on a condition";
    case WAIT_SEMAPHORE:
        return "waits for a semaphore";
    case WAIT_BARRIER:
        return "waits at a barrier";
    case WAIT_GATE:
        return "waits at the test's own gate";
    case WAIT_TIME:
        return "sleeps, or waits with a time limit";
    case WAIT_CALL:
        return thread->call == NULL ? "waits in a system call" : memory_format(context, "waits in %s", thread->call);
    case WAIT_NOTHING:
        return "runs";
    }
    return "";
}

static const char *who_words(void *context, const struct hang *hang, const struct hang_thread *thread)
{
    if (thread->pid != hang->threads[0].pid)
        return memory_format(context, "a child process, thread %d", thread->number);
    return memory_format(context, "thread %d", thread->number);
}

/* The line above, where the student's own function was called by another of his. */
static int caller_line(const struct hang_thread *thread)
{
    const struct frame *end = thread->trace.frames + thread->trace.count;

    for (const struct frame *frame = thread->shown + 1; frame < end; frame++)
        if (frame->file != NULL && strcmp(frame->file, thread->shown->file) == 0 && frame->line > 0)
            return frame->line;
    return 0;
}

static void add_place(void *context, const struct workshop *shop, const struct hang *hang,
                      const struct hang_thread *thread, struct finding *finding)
{
    const struct frame *frame = thread->shown;
    const char *path = places_path(context, shop, frame->file);
    struct place *place = finding_place(context, finding, frame->file, frame->line);
    char *note = holds_words(context, hang, thread);
    int caller = thread->in_student ? caller_line(thread) : 0;

    note = memory_append(context, note, "%s%s", note[0] == '\0' ? "" : ", ", wants_words(context, hang, thread));
    if (caller > 0)
        note = memory_append(context, note, " (called at line %d)", caller);
    place->excerpt = path == NULL ? NULL : source_line(context, path, frame->line);
    place->who = who_words(context, hang, thread);
    place->note = note;
}

void hang_places(void *context, const struct workshop *shop, const struct hang *hang, struct finding *finding)
{
    for (int round = 0; round < 2; round++) /* the student's lines first */
        for (size_t i = 0; i < hang->count; i++)
            if (hang->threads[i].shown != NULL && hang->threads[i].in_student == (round == 0))
                add_place(context, shop, hang, &hang->threads[i], finding);
}
