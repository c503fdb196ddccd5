/* record.c - see record.h. */
#include "record.h"

#include "memory_map.h"

#include <stdio.h>
#include <string.h>
#include <unwind.h>

struct record record;

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *what;
    enum op op;
} vocabulary[] = {
    {"looks at", OP_LOOK},
    {"sets", OP_SET},
    {"changes", OP_CHANGE},
    {"locks", OP_LOCK},
    {"locks for writing", OP_LOCK},
    {"locks for reading", OP_LOCK_READ},
    {"unlocks", OP_UNLOCK},
    {"finds locked", OP_BUSY},
    {"finds in use", OP_BUSY},
    {"gives up waiting for", OP_GIVE_UP},
    {"gives up the mutex and sleeps on", OP_SLEEP},
    {"is awake and locks again", OP_AWAKE},
    {"wakes though nobody signalled", OP_SPURIOUS},
    {"wakes as its time is over", OP_TIME_OVER},
    {"the wait's time is over at once", OP_TIME_OVER},
    {"wakes", OP_SIGNAL},
    {"signals, and nobody sleeps on", OP_SIGNAL_NOBODY},
    {"wakes all:", OP_BROADCAST},
    {"wakes everyone who sleeps (nobody) on", OP_BROADCAST_NOBODY},
    {"takes one of", OP_TAKE},
    {"adds one to", OP_POST},
    {"comes to", OP_ARRIVE},
    {"goes on from", OP_LEAVE},
    {"makes", OP_MAKE},
    {"joins", OP_JOIN},
    {"ends", OP_END},
    {"sleeps", OP_NAP},
    {"frees", OP_FREE},
    {"destroys", OP_DESTROY},
    {"reads, unordered:", OP_RACE_READ},
    {"writes, unordered:", OP_RACE_WRITE},
    {"fails the assertion", OP_FAIL},
    {"finds a promise broken", OP_FAIL},
    {"returns from main", OP_OVER},
    {"ends the program", OP_OVER},
};

enum op record_op(const char *what)
{
    for (unsigned i = 0; i < sizeof vocabulary / sizeof vocabulary[0]; i++)
        if (strcmp(vocabulary[i].what, what) == 0)
            return vocabulary[i].op;
    return OP_OTHER;
}

extern const char __executable_start[], etext[]; /* our own code (ld) */

static bool is_ours(const void *pc)
{
    return (const char *)pc >= __executable_start && (const char *)pc < etext;
}

/* What the unwinder calls the frame's address is where the frame of the call that it made begins: the end of that. */
static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *closure)
{
    struct row *row = closure;
    const void *pc = (const void *)_Unwind_GetIP(context);   /* NOLINT(performance-no-int-to-ptr) */
    const void *top = (const void *)_Unwind_GetCFA(context); /* NOLINT(performance-no-int-to-ptr) */
    if (row->frames_n && !row->frames[row->frames_n - 1].top)
        row->frames[row->frames_n - 1].top = top;
    if (!pc || row->frames_n >= FRAMES_MAX)
        return _URC_END_OF_STACK;
    if (!is_ours(pc))
        row->frames[row->frames_n++] = (struct frame){.pc = pc};
    return _URC_NO_REASON;
}

/* The value of `size` bytes, where they can be read. */
static bool peek(const void *address, size_t size, uint64_t *value)
{
    *value = 0;
    if (size == 0 || size > sizeof *value || !memory_shadow(address))
        return false;
    memcpy(value, address, size); /* little-endian, like all that we run on */
    return true;
}

static void settle_write(void)
{
    if (!record.pending)
        return;
    struct row *row = &record.rows[record.pending - 1];
    record.pending = 0;
    if (!peek(row->object, row->size, &row->after))
        row->size = 0;
}

static struct row *row_add(void)
{
    settle_write();
    if (record.n >= ROWS_MAX) {
        record.lost++;
        return NULL;
    }
    struct row *row = &record.rows[record.n];
    *row = (struct row){.thread = il.current, .pc = il.self->pc, .other = -1, .now_ns = il.now_ns};
    row->switched = record.n > 0 && record.rows[record.n - 1].thread != il.current;
    record.n++;
    _Unwind_Backtrace(note_frame, row);
    return row;
}

/* The model looks at the object itself before it says what was done with it: one row for both. */
static struct row *row_of_note(const void *object)
{
    settle_write();
    struct row *before = record.n ? &record.rows[record.n - 1] : NULL;
    if (object && before && !before->what && before->thread == il.current && before->object == object &&
        before->pc == il.self->pc)
        return before;
    return row_add();
}

void record_note_slow(const char *what, const void *object, int other)
{
    struct row *row = row_of_note(object);
    if (!row)
        return;
    row->what = what;
    row->op = record_op(what);
    row->object = object;
    row->other = other;
    if (row->op == OP_RACE_WRITE)
        row->after = row->before; /* it was stopped before it wrote */
    else if (row->op != OP_LOOK && row->op != OP_SET && row->op != OP_CHANGE && row->op != OP_RACE_READ)
        row->size = 0;
}

void record_access(const void *address, size_t size, bool is_write)
{
    int stack = memory_stack_of(address);
    if (stack >= 0 && stack == il.current)
        return;
    struct row *row = row_add();
    if (!row)
        return;
    row->op = is_write ? OP_WRITE : OP_READ;
    row->object = address;
    row->is_write = is_write;
    if (peek(address, size, &row->before))
        row->size = (uint8_t)size;
    row->after = row->before;
    if (is_write && row->size)
        record.pending = record.n;
}

void record_wish_slow(void)
{
    struct row *row = &record.last[il.current];
    *row = (struct row){.thread = il.current, .pc = il.self->pc, .other = -1, .now_ns = il.now_ns};
    _Unwind_Backtrace(note_frame, row);
    record.last_n[il.current] = record.n;
}

void record_begin(void)
{
    memset(&record, 0, sizeof record);
}

void record_end(void)
{
    settle_write();
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
    case WISH_UNTIL:
        snprintf(text, size, "%s", wish->waits);
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
unsigned record_circle(int *members)
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
    unsigned n = record_circle(members);
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
