/* record.c - see record.h. */
#include "record.h"

#include "memory_map.h"

#include <stdio.h>
#include <string.h>

struct record record;

void record_note_slow(const char *what, const void *object, int other)
{
    if (record.n >= ROWS_MAX) {
        record.lost++;
        return;
    }
    record.rows[record.n++] = (struct row){
        .thread = il.current, .pc = il.self->pc, .what = what, .object = object, .other = other, .now_ns = il.now_ns};
}

void record_access(const void *address, size_t size, bool is_write)
{
    (void)size;
    int stack = memory_stack_of(address);
    if (stack >= 0 && stack == il.current)
        return;
    if (record.n >= ROWS_MAX) {
        record.lost++;
        return;
    }
    record.rows[record.n++] = (struct row){.thread = il.current,
                                           .pc = il.self->pc,
                                           .object = address,
                                           .other = -1,
                                           .is_write = is_write,
                                           .now_ns = il.now_ns};
}

/* ---- nobody can go on -------------------------------------------------------------------------------------------- */

int record_waits_for(int thread)
{
    const struct wish *wish = &il.threads[thread].wish;
    switch (wish->kind) {
    case WISH_LOCK:
    case WISH_READ_LOCK:
    case WISH_WRITE_LOCK:
    case WISH_ONCE:
        return wish->on->owner;
    case WISH_JOIN:
        return (int)wish->whom;
    default:
        return -1;
    }
}

static const char *kind_word(const struct sync *on)
{
    switch (on ? on->kind : SYNC_NEW) {
    case SYNC_MUTEX:
        return "mutex";
    case SYNC_RWLOCK:
        return "read-write lock";
    case SYNC_SPIN:
        return "spin lock";
    default:
        return "lock";
    }
}

void record_waits(int thread, char *text, size_t size)
{
    const struct wish *wish = &il.threads[thread].wish;
    int whom = record_waits_for(thread);
    switch (wish->kind) {
    case WISH_LOCK:
    case WISH_READ_LOCK:
    case WISH_WRITE_LOCK:
        if (whom < 0)
            snprintf(text, size, "waits for a %s that others hold for reading", kind_word(wish->on));
        else if (whom == thread)
            snprintf(text, size, "waits for a %s that it holds itself", kind_word(wish->on));
        else
            snprintf(text, size, "waits for a %s that %s holds%s", kind_word(wish->on), il_name(whom),
                     il.threads[whom].life == LIFE_ENDED ? ", which has ended" : "");
        break;
    case WISH_JOIN:
        snprintf(text, size, "waits for the end of %s", il_name(whom));
        break;
    case WISH_COND:
        snprintf(text, size, "sleeps on a condition variable");
        break;
    case WISH_SEMAPHORE:
        snprintf(text, size, "waits for a semaphore that is 0");
        break;
    case WISH_BARRIER:
        snprintf(text, size, "waits at a barrier: %u of %u have come", wish->on->waiters, wish->on->size);
        break;
    case WISH_ONCE:
        snprintf(text, size, "waits for a pthread_once that has not returned");
        break;
    case WISH_GATE:
        snprintf(text, size, "waits at a gate that is closed");
        break;
    case WISH_WRITE:
        snprintf(text, size, "spins: it looks again and again at what nobody changes");
        break;
    default:
        snprintf(text, size, "can go on");
        break;
    }
}

/* A circle of threads each of which waits for the next, from the first thread that is in one; its length, or 0. */
static unsigned circle(int *members)
{
    for (int first = 0; first < il.n; first++) {
        unsigned n = 0;
        int at = first;
        while (at >= 0 && il.threads[at].life == LIFE_RUNS && n < (unsigned)il.n) {
            members[n++] = at;
            at = record_waits_for(at);
            if (at == first)
                return n;
        }
    }
    return 0;
}

static bool anybody(enum wish_kind kind)
{
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].wish.kind == kind)
            return true;
    return false;
}

static void say(const char *first, const int *members, unsigned n)
{
    char *text = il.finding.text;
    size_t room = sizeof il.finding.text, at = (size_t)snprintf(text, room, "%s: ", first);
    for (unsigned i = 0; i < n && at < room; i++) {
        char waits[128];
        record_waits(members[i], waits, sizeof waits);
        at += (size_t)snprintf(text + at, room - at, "%s%s %s", i ? "; " : "", il_name(members[i]), waits);
    }
}

void record_stuck(void)
{
    int members[THREADS_MAX] = {0};
    unsigned n = circle(members);
    struct finding *finding = &il.finding;
    finding->address = NULL;
    if (n) {
        finding->kind = FIND_DEADLOCK;
        say("deadlock, everyone waits in a circle", members, n);
    } else {
        for (int i = 0; i < il.n; i++)
            if (il.threads[i].life == LIFE_RUNS)
                members[n++] = i;
        if (anybody(WISH_WRITE)) {
            finding->kind = FIND_LIVELOCK;
            say("the program never ends", members, n);
        } else if (anybody(WISH_COND)) {
            finding->kind = FIND_LOST_WAKEUP;
            say("everyone waits, and nobody is left to wake them", members, n);
        } else {
            finding->kind = FIND_DEADLOCK;
            say("everyone waits for what will never come", members, n);
        }
    }
    finding->thread = members[0];
    finding->pc = il.threads[members[0]].wish_pc;
}
