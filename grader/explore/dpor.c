/* dpor.c - see dpor.h.
 *
 * The stack has a frame for each step of the run at hand, from the start, and one for each decision about data within
 * a step. A run follows the stack and then makes new frames; when it is over, the last frame that has something left
 * is given its next choice, and what was above it is dropped. Frame 0 stands for what happens before the first step.
 *
 * Races are noted while a step goes on and looked at when it is over, as only then everything is known that it depends
 * on. Those of frames that were there before this run have been looked at already.
 */
#include "dpor.h"

#include "search.h"

#include <stdlib.h>
#include <string.h>

enum { FRAMES = 8192, TOUCHES_MAX = 12, READS_MAX = 1 << 16, RACES_MAX = 64, WORDS = (THREADS_MAX + 63) / 64 };

struct mask {
    uint64_t word[WORDS];
};

/* What a step touched: addresses, the lowest bit of the shifted address being "changed". */
struct touched {
    uint8_t n;
    bool all; /* too many to say, or the end of the program */
    uint64_t at[TOUCHES_MAX];
};

/* A thread whose next step has been explored from here, and what that touches. */
struct sleeper {
    uint8_t thread;
    struct touched touched;
};

struct frame {
    bool is_data, forced;
    uint8_t thread;
    uint8_t variant, variants; /* of data: the choice and how many there are */
    struct mask enabled, backtrack, asleep;
    size_t sleepers; /* where its own begin; they end where the next frame's begin */
    struct touched touched;
};

/* What is known of a thread in this run; clocks say of each thread which of its frames come before. */
struct standing {
    uint32_t run;        /* the run that this belongs to */
    uint16_t last;       /* its last frame */
    uint16_t published;  /* the frame at whose end it came to wish what it wishes */
    uint16_t enabled_by; /* the first to write since it waits for a write */
    bool renewed;        /* the step that goes on made it, or changed its wish */
    uint64_t deadline_ns;
    uint16_t clock[THREADS_MAX];
};

struct read {
    uint32_t frame, next;
};

static struct {
    struct frame frames[FRAMES];
    uint16_t clocks[FRAMES][THREADS_MAX];
    unsigned frames_n; /* on the stack */
    unsigned at;       /* the frame of the step that goes on */
    unsigned top;      /* frames that this run has come through, data included */
    unsigned fresh;    /* the first frame that this run has made, or given another choice */
    bool gave_up;

    struct sleeper *sleepers;
    size_t sleepers_n, sleepers_room;

    struct standing standing[THREADS_MAX];
    struct sync clock;     /* virtual time, as an object */
    struct sync *blocking; /* what the step that goes on had been waiting for */
    bool wrote;
    struct read reads[READS_MAX];
    unsigned reads_n;
    uint32_t races[RACES_MAX]; /* frames that the step that goes on could have come before */
    unsigned races_n;
} dpor;

/* ---- masks ------------------------------------------------------------------------------------------------------- */

static bool mask_has(const struct mask *mask, unsigned i)
{
    return mask->word[i / 64] >> (i % 64) & 1;
}

static void mask_set(struct mask *mask, unsigned i)
{
    mask->word[i / 64] |= 1ULL << (i % 64);
}

static void mask_join(struct mask *to, const struct mask *from)
{
    for (unsigned i = 0; i < WORDS; i++)
        to->word[i] |= from->word[i];
}

/* The lowest in `a`, `b` and not in `without` (NULL: nothing); -1 where there is none. */
static int mask_first(const struct mask *a, const struct mask *b, const struct mask *without)
{
    for (unsigned i = 0; i < WORDS; i++) {
        uint64_t both = a->word[i] & b->word[i] & (without ? ~without->word[i] : ~0ULL);
        if (both)
            return (int)(i * 64) + __builtin_ctzll(both);
    }
    return -1;
}

/* ---- what a step touches ----------------------------------------------------------------------------------------- */

static void touch(struct touched *touched, const void *what, bool is_write)
{
    uint64_t key = (uint64_t)(uintptr_t)what << 1;
    for (unsigned i = 0; i < touched->n; i++) {
        if ((touched->at[i] & ~1ULL) != key)
            continue;
        touched->at[i] |= is_write;
        return;
    }
    if (touched->n < TOUCHES_MAX)
        touched->at[touched->n++] = key | is_write;
    else
        touched->all = true;
}

static bool depend(const struct touched *a, const struct touched *b)
{
    if (a->all || b->all)
        return true;
    for (unsigned i = 0; i < a->n; i++)
        for (unsigned k = 0; k < b->n; k++)
            if ((a->at[i] ^ b->at[k]) <= 1 && ((a->at[i] | b->at[k]) & 1))
                return true;
    return false;
}

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

static void clock_take(uint16_t *to, const uint16_t *from)
{
    for (int i = 0; i < il.n; i++)
        if (from[i] > to[i])
            to[i] = from[i];
}

static uint16_t *clock_of_step(void)
{
    return dpor.clocks[dpor.at];
}

static bool comes_before(unsigned frame, const uint16_t *clock)
{
    return clock[dpor.frames[frame].thread] >= frame;
}

/* ---- races ------------------------------------------------------------------------------------------------------- */

/* Could `thread`, whose wish has not changed since frame i, not have gone there? Then there is nothing to reverse. */
static bool was_blocked(unsigned i, unsigned thread)
{
    return dpor.standing[thread].published < i && !mask_has(&dpor.frames[i].enabled, thread);
}

static void note_race(unsigned i)
{
    unsigned thread = dpor.frames[dpor.at].thread;
    if (!i || i == dpor.at || dpor.frames[i].thread == thread || was_blocked(i, thread))
        return;
    for (unsigned k = 0; k < dpor.races_n; k++)
        if (dpor.races[k] == i)
            return;
    if (dpor.races_n < RACES_MAX)
        dpor.races[dpor.races_n++] = i;
    else
        dpor.gave_up = true;
}

/* The threads that can go first where what came after frame i and does not depend on it, followed by `thread` (whose
 * own step depends on what `clock` says), goes before it: POPL 2014, definition 4.2, "initials". */
static struct mask initials(unsigned i, unsigned thread, const uint16_t *clock, unsigned until)
{
    struct mask initials = {{0}};
    uint32_t first[THREADS_MAX] = {0};
    uint8_t seen[THREADS_MAX];
    unsigned seen_n = 0;
    for (unsigned k = i + 1; k < until; k++) {
        unsigned who = dpor.frames[k].thread;
        if (dpor.frames[k].is_data || first[who] || comes_before(i, dpor.clocks[k]))
            continue;
        bool alone = true;
        for (unsigned s = 0; s < seen_n && alone; s++)
            alone = dpor.clocks[k][seen[s]] < first[seen[s]];
        if (alone)
            mask_set(&initials, who);
        first[who] = k;
        seen[seen_n++] = (uint8_t)who;
    }
    bool alone = !first[thread];
    for (unsigned s = 0; s < seen_n && alone; s++)
        alone = clock[seen[s]] < first[seen[s]];
    if (alone)
        mask_set(&initials, thread);
    return initials;
}

/* A frame whose choice was none hands the wish to the one before, for everybody. */
static void backtrack_everybody(unsigned i)
{
    for (; i; i--) {
        struct frame *frame = &dpor.frames[i];
        if (frame->is_data)
            continue;
        mask_join(&frame->backtrack, &frame->enabled);
        if (!frame->forced)
            return;
    }
}

/* `thread` should go before frame i, as far as it can: steps up to `until` are known. */
static void reverse(unsigned i, unsigned thread, const uint16_t *clock, unsigned until)
{
    struct frame *frame = &dpor.frames[i];
    struct mask wanted = initials(i, thread, clock, until);
    if (mask_first(&wanted, &frame->backtrack, NULL) >= 0 || mask_first(&wanted, &frame->asleep, NULL) >= 0)
        return;
    int one = mask_has(&wanted, thread) && mask_has(&frame->enabled, thread)
                  ? (int)thread
                  : mask_first(&wanted, &frame->enabled, NULL);
    if (one >= 0 && !frame->forced)
        mask_set(&frame->backtrack, (unsigned)one);
    else
        backtrack_everybody(i);
}

/* ---- the end of a step ------------------------------------------------------------------------------------------- */

static void touch_clock(void);

/* Deadlines that were set or given up by this step. */
static void look_at_deadlines(void)
{
    bool changed = false;
    for (int i = 0; i < il.n; i++) {
        uint64_t deadline_ns = il.threads[i].life == LIFE_RUNS ? il.threads[i].wish.deadline_ns : NO_DEADLINE;
        changed |= dpor.standing[i].deadline_ns != deadline_ns;
        dpor.standing[i].deadline_ns = deadline_ns;
    }
    if (changed)
        touch_clock();
}

static bool takes(enum wish_kind kind)
{
    return kind == WISH_LOCK || kind == WISH_READ_LOCK || kind == WISH_WRITE_LOCK || kind == WISH_SEMAPHORE ||
           kind == WISH_ONCE;
}

/* Operations that are announced and may never be done: this step took, or another has taken, what they want. */
static void look_at_wishes(unsigned j)
{
    for (int t = 0; t < il.n; t++) {
        struct standing *standing = &dpor.standing[t];
        const struct wish *wish = &il.threads[t].wish;
        if (il.threads[t].life != LIFE_RUNS)
            continue;
        if (standing->published == j && takes(wish->kind)) {
            unsigned i = wish->on->dpor.taken;
            if (i && dpor.frames[i].thread != t && !comes_before(i, standing->clock))
                reverse(i, (unsigned)t, standing->clock, j + 1);
        } else if (standing->published != j && dpor.frames[j].thread != t &&
                   mask_has(&dpor.frames[j].enabled, (unsigned)t) &&
                   ((wish->on && wish->on->dpor.write == j) ||
                    (wish->deadline_ns != NO_DEADLINE && dpor.clock.dpor.write == j))) {
            reverse(j, (unsigned)t, standing->clock, j + 1);
        }
    }
}

static bool is_covered(const struct wish *wish)
{
    return wish->kind <= WISH_WRITE;
}

static void renew(unsigned j, unsigned t)
{
    struct standing *standing = &dpor.standing[t];
    standing->published = (uint16_t)j;
    standing->enabled_by = 0;
    standing->renewed = false;
    if (il.threads[t].life == LIFE_RUNS && !is_covered(&il.threads[t].wish))
        dpor.gave_up = true;
}

static void finish_step(void)
{
    unsigned j = dpor.at, thread = dpor.frames[j].thread;
    struct standing *mine = &dpor.standing[thread];
    look_at_deadlines();
    memcpy(mine->clock, dpor.clocks[j], (unsigned)il.n * sizeof mine->clock[0]);
    renew(j, thread);
    for (unsigned t = 0; t < (unsigned)il.n; t++) {
        struct standing *standing = &dpor.standing[t];
        if (standing->renewed) {
            if (j >= dpor.fresh && mask_has(&dpor.frames[j].enabled, t)) /* its time could have been over before */
                reverse(j, t, standing->clock, j + 1);
            clock_take(standing->clock, dpor.clocks[j]);
            renew(j, t);
        } else if (dpor.wrote && standing->published != j && !standing->enabled_by &&
                   il.threads[t].wish.kind == WISH_WRITE) {
            standing->enabled_by = (uint16_t)j;
        }
    }
    if (j < dpor.fresh)
        return;
    for (unsigned i = 0; i < dpor.races_n; i++)
        reverse(dpor.races[i], thread, dpor.clocks[j], j);
    look_at_wishes(j);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static void come_after(unsigned frame)
{
    if (frame && frame != dpor.at)
        clock_take(clock_of_step(), dpor.clocks[frame]);
}

static void conflict(unsigned i)
{
    if (!i || i == dpor.at)
        return;
    if (!comes_before(i, clock_of_step()))
        note_race(i);
    come_after(i);
}

/* It only looked, and others may have looked as well. */
static void note_read(struct sync *on)
{
    conflict(on->dpor.write);
    if (on->dpor.reads && dpor.reads[on->dpor.reads].frame == dpor.at)
        return;
    if (dpor.reads_n + 1 >= READS_MAX) {
        dpor.gave_up = true;
        return;
    }
    dpor.reads[++dpor.reads_n] = (struct read){.frame = dpor.at, .next = on->dpor.reads};
    on->dpor.reads = dpor.reads_n;
}

static bool is_exclusive(const struct sync *on)
{
    return on->kind == SYNC_MUTEX || on->kind == SYNC_SPIN || on->kind == SYNC_RWLOCK;
}

/* Who waits for a lock cannot come before its release, only before whoever took it: that was looked at when it
 * announced its wish (look_at_wishes). */
static void note_write(struct sync *on)
{
    for (unsigned at = on->dpor.reads; at; at = dpor.reads[at].next)
        conflict(dpor.reads[at].frame);
    if (dpor.blocking == on && is_exclusive(on) && on->dpor.released)
        come_after(on->dpor.write);
    else
        conflict(on->dpor.write);
    on->dpor.reads = 0;
    on->dpor.write = dpor.at;
    on->dpor.released = on->owner < 0 && on->readers == 0;
    if (dpor.blocking == on || on->kind == SYNC_SEMAPHORE || on->owner >= 0 || on->readers)
        on->dpor.taken = dpor.at;
}

static void touch_clock(void)
{
    touch(&dpor.frames[dpor.at].touched, &dpor.clock, true);
    note_write(&dpor.clock);
}

void dpor_event(struct sync *on, bool is_write)
{
    dpor.wrote |= is_write;
    if (!on) {
        if (!is_write)
            touch_clock();
        return;
    }
    touch(&dpor.frames[dpor.at].touched, on->address, is_write);
    if (is_write)
        note_write(on);
    else
        note_read(on);
}

void dpor_order(const struct thread *other)
{
    struct standing *standing = &dpor.standing[other - il.threads];
    if (standing->run != il.run)
        *standing = (struct standing){.run = il.run, .deadline_ns = NO_DEADLINE};
    standing->renewed = true;
}

void dpor_ends(void)
{
    struct frame *frame = &dpor.frames[dpor.at];
    unsigned j = dpor.at;
    bool alone = true;
    frame->touched.all = true;
    for (int t = 0; t < il.n; t++) {
        if (t == frame->thread)
            continue;
        conflict(dpor.standing[t].last);
        alone &= il.threads[t].life != LIFE_RUNS;
    }
    if (!alone && j >= dpor.fresh)
        backtrack_everybody(j);
}

void dpor_give_up(void)
{
    dpor.gave_up = true;
}

/* ---- the stack --------------------------------------------------------------------------------------------------- */

static bool sleeper_add(unsigned thread, const struct touched *touched)
{
    if (dpor.sleepers_n == dpor.sleepers_room) {
        size_t room = dpor.sleepers_room ? dpor.sleepers_room * 2 : 1024;
        struct sleeper *larger = realloc(dpor.sleepers, room * sizeof *larger);
        if (!larger)
            return false;
        dpor.sleepers = larger;
        dpor.sleepers_room = room;
    }
    dpor.sleepers[dpor.sleepers_n++] = (struct sleeper){.thread = (uint8_t)thread, .touched = *touched};
    return true;
}

/* Who sleeps before the step of `frame` and has nothing to do with it sleeps on. */
static bool inherit_sleep(struct frame *to, const struct frame *from)
{
    size_t end = to->sleepers;
    for (size_t i = from->sleepers; i < end; i++) {
        unsigned thread = dpor.sleepers[i].thread;
        struct touched touched = dpor.sleepers[i].touched;
        if (thread == from->thread || depend(&touched, &from->touched))
            continue;
        if (!sleeper_add(thread, &touched))
            return false;
        mask_set(&to->asleep, thread);
    }
    return true;
}

static struct frame *push(void)
{
    if (dpor.frames_n >= FRAMES) {
        dpor.gave_up = true;
        return NULL;
    }
    struct frame *frame = &dpor.frames[dpor.frames_n++];
    *frame = (struct frame){.sleepers = dpor.sleepers_n};
    return frame;
}

static void pop(void)
{
    dpor.sleepers_n = dpor.frames[--dpor.frames_n].sleepers;
}

static unsigned variants_of(const struct dpor_options *options, unsigned thread)
{
    unsigned n = 0;
    for (unsigned i = 0; i < options->n; i++)
        n += options->who[i] == thread;
    return n;
}

static int index_of(const struct dpor_options *options, const struct frame *frame)
{
    unsigned n = 0;
    for (unsigned i = 0; i < options->n; i++)
        if (options->who[i] == frame->thread && n++ == frame->variant)
            return (int)i;
    return -1;
}

/* A step that no run has come to yet: the first that does not sleep. False where all sleep. */
static bool new_step(const struct dpor_options *options)
{
    struct frame *frame = push();
    if (!frame || !inherit_sleep(frame, &dpor.frames[dpor.at])) {
        dpor.gave_up = true;
        return false;
    }
    for (unsigned i = 0; i < options->n; i++)
        mask_set(&frame->enabled, options->who[i]);
    int pick = options->forced;
    for (unsigned i = 0; pick < 0 && i < options->n; i++)
        if (!mask_has(&frame->asleep, options->who[i]))
            pick = (int)i;
    if (pick < 0 || mask_has(&frame->asleep, options->who[pick])) {
        pop();
        return false;
    }
    frame->forced = options->forced >= 0;
    frame->thread = options->who[pick];
    mask_set(&frame->backtrack, frame->thread);
    return true;
}

static void enter_step(unsigned j)
{
    struct frame *frame = &dpor.frames[j];
    struct standing *standing = &dpor.standing[frame->thread];
    const struct wish *wish = &il.threads[frame->thread].wish;
    dpor.at = j;
    dpor.races_n = 0;
    dpor.wrote = false;
    dpor.blocking = takes(wish->kind) ? wish->on : NULL;
    memset(dpor.clocks[j], 0, sizeof dpor.clocks[j]);
    clock_take(dpor.clocks[j], standing->clock);
    dpor.clocks[j][frame->thread] = (uint16_t)j;
    standing->last = (uint16_t)j;
    if (wish->kind == WISH_JOIN) {
        clock_take(dpor.clocks[j], dpor.standing[wish->whom].clock);
        come_after(dpor.standing[wish->whom].last);
    }
    come_after(standing->enabled_by);
    if (wish->deadline_ns != NO_DEADLINE) {
        standing->deadline_ns = NO_DEADLINE;
        touch_clock();
    }
}

unsigned dpor_step(const struct dpor_options *options)
{
    finish_step();
    if (dpor.gave_up)
        return PICK_PRUNE;
    if (dpor.top == dpor.frames_n && !new_step(options))
        return PICK_PRUNE;
    unsigned j = dpor.top++;
    if (!dpor.frames[j].variants)
        dpor.frames[j].variants = dpor.frames[j].forced ? 1 : (uint8_t)variants_of(options, dpor.frames[j].thread);
    int index = dpor.frames[j].forced ? options->forced : index_of(options, &dpor.frames[j]);
    if (index < 0) { /* the program does not do the same twice */
        dpor.gave_up = true;
        return PICK_PRUNE;
    }
    enter_step(j);
    return (unsigned)index;
}

unsigned dpor_data(unsigned n)
{
    if (dpor.top == dpor.frames_n) {
        struct frame *frame = push();
        if (!frame)
            return PICK_PRUNE;
        frame->is_data = true;
        frame->variants = (uint8_t)n;
    }
    return dpor.frames[dpor.top++].variant;
}

/* ---- one run after the other ------------------------------------------------------------------------------------- */

void dpor_begin(void)
{
    dpor.frames_n = 0;
    dpor.sleepers_n = 0;
    dpor.fresh = 0;
    dpor.gave_up = false;
    push();
}

void dpor_run_begins(void)
{
    dpor.at = 0;
    dpor.top = 1;
    dpor.reads_n = dpor.races_n = 0;
    dpor.blocking = NULL;
    dpor.wrote = false;
    dpor.clock.dpor = (struct dpor_mark){0};
    memset(dpor.clocks[0], 0, sizeof dpor.clocks[0]);
    dpor.standing[0].run = 0; /* dpor_order starts it */
}

bool dpor_gave_up(void)
{
    return dpor.gave_up;
}

/* The next choice of the frame on top. False where it has none left. */
static bool next_choice(struct frame *frame)
{
    if (frame->variant + 1 < frame->variants) {
        frame->variant++;
        return true;
    }
    if (frame->is_data || frame->forced || !mask_has(&frame->enabled, frame->thread))
        return false;
    if (!sleeper_add(frame->thread, &frame->touched)) {
        dpor.gave_up = true;
        return false;
    }
    mask_set(&frame->asleep, frame->thread);
    int next = mask_first(&frame->backtrack, &frame->enabled, &frame->asleep);
    if (next < 0)
        return false;
    frame->thread = (uint8_t)next;
    frame->variant = frame->variants = 0;
    frame->touched = (struct touched){.n = 0};
    return true;
}

bool dpor_run_ended(void)
{
    finish_step();
    if (dpor.top != dpor.frames_n) /* the program does not do the same twice */
        dpor.gave_up = true;
    for (; !dpor.gave_up && dpor.frames_n > 1; pop()) {
        if (!next_choice(&dpor.frames[dpor.frames_n - 1]))
            continue;
        dpor.fresh = dpor.frames_n - 1;
        while (dpor.frames[dpor.fresh].is_data) /* the step that it belongs to goes on another way */
            dpor.fresh--;
        return true;
    }
    return false;
}
