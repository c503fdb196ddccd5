/* engine.c - see engine.h. */
#include "engine.h"

#include "dpor.h"
#include "fiber.h"
#include "heap.h"
#include "memory_map.h"
#include "record.h"
#include "search.h"
#include "shadow.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STEP_NS = 50000 }; /* that a step takes where there are too many and an alarm is awaited */

struct engine il;

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

void clock_copy(struct clock *to, const struct clock *from)
{
    to->n = from->n;
    memcpy(to->at, from->at, from->n * sizeof to->at[0]);
}

void clock_join(struct clock *to, const struct clock *from)
{
    unsigned both = to->n < from->n ? to->n : from->n;
    for (unsigned i = 0; i < both; i++)
        if (from->at[i] > to->at[i])
            to->at[i] = from->at[i];
    for (unsigned i = both; i < from->n; i++)
        to->at[i] = from->at[i];
    if (from->n > to->n)
        to->n = from->n;
}

static void clock_reach(struct clock *clock, unsigned n)
{
    while (clock->n < n)
        clock->at[clock->n++] = 0;
}

/* A thread's own entry of `sync` goes up where others may have learnt of it. */
static void tick(struct thread *thread)
{
    unsigned id = (unsigned)(thread - il.threads);
    thread->epoch = id << 24 | (++thread->sync.at[id] & 0xffffff);
}

void il_tick(void)
{
    tick(il.self);
}

void il_acquire(const struct sync *on)
{
    clock_join(&il.self->sync, &on->sync);
}

void il_release(struct sync *on)
{
    clock_join(&on->sync, &il.self->sync);
    tick(il.self);
}

void il_release_only(struct sync *on)
{
    clock_copy(&on->sync, &il.self->sync);
    tick(il.self);
}

void il_release_to_all(void)
{
    for (int i = 0; i < il.n; i++)
        if (i != il.current)
            clock_join(&il.threads[i].sync, &il.self->sync);
    tick(il.self);
}

/* David Stafford's variant 13 of the finaliser of MurmurHash3. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* Two words into one by a product of 128 bits, as wyhash does (Wang Yi): a fifth of the time that two mixes take, and
 * every operation waits for it. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = a ^ 0xa0761d6478bd642fULL;
    product *= b ^ 0xe7037ed1a0b428dbULL;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void il_event(struct sync *on, bool is_write, uint64_t salt)
{
    struct thread *self = il.self;
    uint64_t past = salt * 0x9e3779b97f4a7c15ULL;
    if (on)
        past += on->order + (is_write ? on->reads : 0) + 1;
    uint64_t name = fold(self->order, past);
    self->order = name;
    il.hash += name;
    self->quiet_accesses = 0;
    if (on && is_write) {
        on->order = name;
        on->reads = 0;
    } else if (on) {
        on->reads += name;
    }
    if (is_write) {
        il.writes++;
        self->looks_n = 0;
    }
    if (il.reducing)
        dpor_event(on, is_write);
}

/* What the current thread did last comes before whatever `other` does next. */
void il_order(struct thread *other)
{
    other->order = mix(other->order + 0x4000) + il.self->order;
    if (il.reducing)
        dpor_order(other);
}

/* ---- leaving a run ----------------------------------------------------------------------------------------------- */

/* It did end: only we had lost patience. */
static void too_long(void)
{
    il.outcome = RUN_FOUND;
    il.finding.kind = FIND_CANNOT;
    il.finding.thread = il.current;
    il.finding.pc = il.self->pc;
    int n = snprintf(il.finding.text, sizeof il.finding.text,
                     "one run of the program takes %u steps: give it less to do", il.steps);
    if (il.steps > il.steps_max) /* or it had too many decisions among them */
        snprintf(il.finding.text + n, sizeof il.finding.text - (size_t)n, ", or allow more than %u (--steps)",
                 il.steps_max);
}

static _Noreturn void leave(enum outcome outcome)
{
    il.outcome = outcome;
    if (il.patient && outcome == RUN_ENDED) {
        il.was_long = true;
        if (!il.may_be_long)
            too_long();
    }
    il.inside = false;
    void *never_used;
    fiber_switch(&never_used, il.root_place);
    __builtin_unreachable();
}

void il_before_end(void)
{
    bool alone = true;
    for (int i = 0; i < il.n; i++)
        alone &= i == il.current || il.threads[i].life != LIFE_RUNS;
    if (!alone)
        il_wish(WISH_GO, NULL, NO_DEADLINE);
}

_Noreturn void il_end(int status)
{
    if (il.reducing)
        dpor_ends();
    il.status = status;
    if (status && il.finding.kind == FIND_NOTHING)
        il_found(FIND_EXIT, NULL, "the program ended with status %d", status & 255);
    leave(RUN_ENDED);
}

_Noreturn void il_found(enum finding_kind kind, const void *address, const char *format, ...)
{
    struct finding *finding = &il.finding;
    finding->kind = kind;
    finding->thread = il.current;
    if (!finding->pc)
        finding->pc = il.self->pc;
    finding->address = address;
    va_list list;
    va_start(list, format);
    vsnprintf(finding->text, sizeof finding->text, format, list);
    va_end(list);
    leave(RUN_FOUND);
}

const char *il_name(int thread)
{
    static char names[4][24];
    static unsigned next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "thread %d", thread + 1);
    return name;
}

/* ---- who can go -------------------------------------------------------------------------------------------------- */

static bool granted(const struct thread *thread)
{
    const struct wish *wish = &thread->wish;
    if (thread->life != LIFE_RUNS)
        return false;
    switch (wish->kind) {
    case WISH_GO:
        return true;
    case WISH_LOCK:
    case WISH_READ_LOCK:
    case WISH_ONCE:
        return wish->on->owner < 0;
    case WISH_WRITE_LOCK:
        return wish->on->owner < 0 && wish->on->readers == 0;
    case WISH_SEMAPHORE:
        return wish->on->value > 0;
    case WISH_JOIN:
        return il.threads[wish->whom].life == LIFE_ENDED;
    case WISH_BARRIER:
        return wish->on->value != wish->whom;
    case WISH_GATE:
        return wish->on->value != 0;
    case WISH_WRITE:
        return il.writes != wish->whom;
    case WISH_UNTIL:
        return wish->can(wish);
    case WISH_COND: /* whoever signals changes the wish */
    case WISH_SLEEP:
        return false;
    }
    return false;
}

struct candidates {
    unsigned n;
    bool self_can; /* without a yield */
    bool some_yielded, some_watch;
    int join;             /* index of one that is granted a join, or -1 */
    uint64_t earliest_ns; /* deadline */
    uint8_t who[CANDIDATES_MAX], cost[CANDIDATES_MAX], how[CANDIDATES_MAX];
};
enum how { HOW_GRANTED, HOW_DEADLINE, HOW_SPURIOUS, HOW_SPIN };

static void add(struct candidates *candidates, int who, unsigned cost, enum how how)
{
    if (il.cost + cost > il.bound) {
        il.dropped = true;
        return;
    }
    candidates->who[candidates->n] = (uint8_t)who;
    candidates->cost[candidates->n] = (uint8_t)cost;
    candidates->how[candidates->n++] = (uint8_t)how;
}

/* May `other` go before the yielded thread `thread`, if all is to be fair? */
static bool is_fairer(const struct thread *thread, const struct thread *other)
{
    if (other == thread || other->life != LIFE_RUNS)
        return false;
    if (granted(other))
        return !other->yielded || other->yields < thread->yields;
    return other->wish.deadline_ns != NO_DEADLINE;
}

/* Fairness (Musuvathi & Qadeer, PLDI 2008): a thread that has yielded may go before others, but not twice before the
 * same one. So every interleaving of a program whose loops wait for others ends, and whoever is overtaken once and
 * again is not overtaken a third time. */
static bool may_overtake(int who)
{
    const struct thread *thread = &il.threads[who];
    for (int i = 0; il.overtaking && i < il.n; i++)
        if (thread->overtaken[i / 64] >> (i % 64) & 1 && is_fairer(thread, &il.threads[i]))
            return false;
    return true;
}

static void overtake(struct thread *thread)
{
    if (il.reducing && !may_overtake((int)(thread - il.threads)))
        dpor_give_up();
    for (int i = 0; i < il.n; i++) {
        if (!is_fairer(thread, &il.threads[i]))
            continue;
        thread->overtaken[i / 64] |= 1ULL << (i % 64);
        il.overtaking = true;
    }
}

/* Its turn has come: whoever went before it may do so again. */
static void no_more_overtaken(int who)
{
    for (int i = 0; i < il.n; i++)
        il.threads[i].overtaken[who / 64] &= ~(1ULL << (who % 64));
}

static bool let_overtake(int who)
{
    if (il.reducing || may_overtake(who))
        return true;
    il.fair_only = true;
    return false;
}

/* Those who yielded: the one who did so first for nothing where nobody else can go, the others dearer. */
static void add_yielded(struct candidates *candidates)
{
    int oldest = -1;
    bool anybody = candidates->n > 0;
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].yielded && granted(&il.threads[i]) &&
            (oldest < 0 || il.threads[i].yields < il.threads[oldest].yields))
            oldest = i;
    if (oldest >= 0 && (!anybody || let_overtake(oldest)))
        add(candidates, oldest, anybody, HOW_GRANTED);
    for (int i = 0; i < il.n; i++)
        if (i != oldest && il.threads[i].yielded && granted(&il.threads[i]) && let_overtake(i))
            add(candidates, i, 1, HOW_GRANTED);
}

/* One that can go; where it is a join, there may be nothing to decide. */
static void add_ready(struct candidates *candidates, const struct thread *thread, unsigned cost)
{
    if (thread->wish.kind == WISH_JOIN && candidates->join < 0 && (thread == il.self || !candidates->self_can))
        candidates->join = (int)candidates->n;
    add(candidates, (int)(thread - il.threads), cost, HOW_GRANTED);
}

/* Whoever can go, the current thread first; and what else there is to know of all threads. */
static void add_granted(struct candidates *candidates)
{
    const struct thread *self = il.self, *end = il.threads + il.n;
    bool self_ready = granted(self) && !self->yielded;
    candidates->self_can = self_ready && !il.free_switch;
    if (self_ready)
        add_ready(candidates, self, 0);
    for (const struct thread *thread = il.threads; thread < end; thread++) {
        if (thread->life != LIFE_RUNS)
            continue;
        if (thread->wish.deadline_ns < candidates->earliest_ns)
            candidates->earliest_ns = thread->wish.deadline_ns;
        candidates->some_watch |= thread->wish.kind == WISH_WRITE;
        if (thread->yielded)
            candidates->some_yielded = true;
        else if (thread != self && granted(thread))
            add_ready(candidates, thread, candidates->self_can);
    }
}

/* The clock may jump to the earliest deadline at any time (all others being slow), but that is dear while somebody
 * else can go. */
static void add_deadlines(struct candidates *candidates)
{
    uint64_t earliest_ns = candidates->earliest_ns;
    unsigned cost = candidates->n > 0;
    if (cost && il.sleeps_order)
        return;
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].wish.deadline_ns == earliest_ns &&
            !granted(&il.threads[i]))
            add(candidates, i, cost, HOW_DEADLINE);
}

static void add_rare(struct candidates *candidates)
{
    for (int i = 0; il.spurious && i < il.n && candidates->n < UINT8_MAX; i++)
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].wish.kind == WISH_COND)
            add(candidates, i, 1, HOW_SPURIOUS);
    if (candidates->n)
        return;
    for (int i = 0; i < il.n; i++) /* nobody will write: let who spins spin on, for a while */
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].wish.kind == WISH_WRITE)
            add(candidates, i, 0, HOW_SPIN);
}

static bool all_ended(void)
{
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_RUNS)
            return false;
    return true;
}

static uint64_t decision_key(const struct candidates *candidates)
{
    uint64_t key = il.hash;
    if (candidates->self_can)
        key += mix(0x1000 + (uint64_t)il.current);
    for (int i = 0; i < il.n && (candidates->some_yielded || candidates->some_watch); i++)
        if (il.threads[i].yielded || il.threads[i].wish.kind == WISH_WRITE)
            key += mix(0x2000 + (uint64_t)i * 4 + il.threads[i].yielded * 2U + granted(&il.threads[i]));
    for (int i = 0; il.overtaking && i < il.n; i++) {
        uint64_t word = (uint64_t)i;
        for (int k = (il.n - 1) / 64; k >= 0; k--)
            word = il.threads[i].overtaken[k] + mix(word);
        key += mix(word);
    }
    return mix(key);
}

static void note_choice(unsigned pick, unsigned cost)
{
    if (il.choices.n + 1 >= CHOICES_MAX)
        il.patient = true;
    il.choices.at[il.choices.n++] = (uint8_t)pick;
    il.cost += cost;
}

static unsigned decide(const struct decision *decision)
{
    if (il.patient)
        return 0;
    unsigned pick = search_pick(decision);
    if (pick == PICK_PRUNE)
        leave(RUN_PRUNED);
    note_choice(pick, decision->cost[pick]);
    return pick;
}

/* The same with partial-order reduction, which hears of every step; a step that leaves no choice (index >= 0) is no
 * decision. */
static unsigned decide_reduced(const struct candidates *candidates, int index)
{
    struct dpor_options options = {.n = candidates->n, .who = candidates->who, .forced = index};
    unsigned pick = dpor_step(&options);
    if (pick == PICK_PRUNE)
        leave(RUN_PRUNED);
    if (index < 0)
        note_choice(pick, candidates->cost[pick]);
    return pick;
}

unsigned il_choice(unsigned count, bool is_dear)
{
    static const uint8_t cheap[THREADS_MAX];
    static const uint8_t dear[2] = {0, 1};
    if (is_dear && il.cost + 1 > il.bound) {
        il.dropped = true;
        return 0;
    }
    if (count < 2)
        return 0;
    struct decision decision = {.n = count,
                                .who = cheap,
                                .cost = is_dear ? dear : cheap,
                                .key = mix(il.hash + 0x3000 + (uint64_t)il.current),
                                .is_data = true};
    return decide(&decision);
}

static _Noreturn void nobody_can(void)
{
    if (!all_ended())
        record_stuck(); /* fills il.finding */
    else
        heap_check_leaks(true);
    leave(il.finding.kind ? RUN_FOUND : RUN_ENDED);
}

/* Where time passes only while everybody waits, whoever it wakes may rely on what the others did before. */
static void wake_after_all(struct thread *thread)
{
    for (int i = 0; i < il.n; i++) {
        struct thread *other = &il.threads[i];
        if (other == thread)
            continue;
        clock_join(&thread->sync, &other->sync);
        thread->order = mix(thread->order + other->order);
        tick(other);
    }
}

static void grant(int who, enum how how)
{
    struct thread *thread = &il.threads[who];
    if (thread->yielded)
        overtake(thread);
    if (il.overtaking)
        no_more_overtaken(who);
    thread->yielded = false;
    thread->timed_out = how == HOW_DEADLINE;
    thread->spurious = how == HOW_SPURIOUS;
    if (how == HOW_DEADLINE && thread->wish.deadline_ns > il.now_ns)
        il.now_ns = thread->wish.deadline_ns;
    if (how == HOW_DEADLINE && il.sleeps_order)
        wake_after_all(thread);
    if (how == HOW_SPIN && ++il.silent_spins > 2000)
        record_stuck();
    if (il.finding.kind)
        leave(RUN_FOUND);
}

/* Time does not pass beyond an alarm, which rings where all wait: true. */
static bool alarm_first(struct candidates *candidates)
{
    uint64_t at_ns = model_alarm_ns();
    if (at_ns > candidates->earliest_ns)
        return false;
    candidates->earliest_ns = NO_DEADLINE;
    return candidates->n == 0 && !candidates->some_yielded && model_alarm_rings();
}

/* Others could go on for ever before the clock moves, or move it by so little that it comes to nothing: they wake each
 * other until somebody's sleep is over and stops them. So whoever has slept for long wakes, be it before others whose
 * time is earlier, who are late then. Returns its number, or -1. */
static int late_sleeper(void)
{
    int oldest = -1;
    if (il.steps - il.late_at < LATE_STEPS || (il.sleeps_order && !il.patient))
        return -1;
    il.late_at = il.steps - LATE_STEPS / 2;
    for (int i = 0; i < il.n; i++) {
        const struct thread *thread = &il.threads[i];
        if (thread->life == LIFE_RUNS && thread->wish.deadline_ns != NO_DEADLINE && !granted(thread) &&
            il.steps - thread->wished_at > LATE_STEPS &&
            (oldest < 0 || thread->wished_at < il.threads[oldest].wished_at))
            oldest = i;
    }
    if (oldest >= 0 && il.reducing)
        dpor_give_up();
    return oldest;
}

/* Picks who goes next and marks its wish as granted. */
static int choose(void)
{
    struct candidates candidates;
    candidates.n = 0;
    candidates.some_yielded = candidates.some_watch = false;
    candidates.join = -1;
    candidates.earliest_ns = NO_DEADLINE;
    add_granted(&candidates);
    if (__builtin_expect(il.alarm, false) && alarm_first(&candidates))
        return choose();
    if (candidates.earliest_ns != NO_DEADLINE) { /* while all who can go only wait for others, time passes */
        int late = late_sleeper();
        if (late >= 0) {
            il.free_switch = false;
            grant(late, HOW_DEADLINE);
            return late;
        }
        add_deadlines(&candidates);
    }
    if (candidates.some_yielded)
        add_yielded(&candidates);
    if (candidates.n == 0 || il.spurious)
        add_rare(&candidates);
    il.free_switch = false;
    if (candidates.n == 0)
        nobody_can();
    /* A join commutes with whatever the others do and is taken at once: nothing is to be decided. */
    int index = candidates.n == 1 ? 0 : candidates.join;
    if (index >= 0 && candidates.n > 1 && candidates.who[index] != il.current)
        il.free_switch = true;
    if (il.reducing) {
        index = (int)decide_reduced(&candidates, index);
    } else if (index < 0) {
        struct decision decision = {.n = candidates.n, .who = candidates.who, .cost = candidates.cost};
        decision.key = decision_key(&candidates);
        index = (int)decide(&decision);
    }
    if (candidates.how[index] == HOW_DEADLINE && candidates.cost[index] > 0)
        search_limit_passed_early(candidates.who[index]);
    grant(candidates.who[index], candidates.how[index]);
    return candidates.who[index];
}

static void switch_to(int next)
{
    struct thread *from = il.self;
    if (next == il.current)
        return;
    il.streak = 0;
    il.switches++;
    from->error = errno;
    il.current = next;
    il.self = &il.threads[next];
    errno = il.self->error;
    fiber_switch(&from->place, il.self->place);
}

/* Long, or without end? From here on it goes its fair way, with no decisions; much later it should have ended. */
static void too_many_steps(void)
{
    char text[512];
    size_t at = 0;
    il.patient = true;
    if (il.alarm)
        model_alarm_comes_nearer(STEP_NS, true);
    if (il.steps < il.steps_max * (il.is_endless ? IMPATIENCE : PATIENCE))
        return;
    il.is_endless = true;
    for (int i = 0; i < il.n && at < sizeof text; i++) {
        char waits[128] = "goes round and round";
        if (il.threads[i].life != LIFE_RUNS)
            continue;
        if (!granted(&il.threads[i]))
            record_waits(i, waits, sizeof waits);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %s", at ? "; " : "", il_name(i), waits);
    }
    il_found(FIND_LIVELOCK, NULL, "the program has not ended after %u steps, though every thread had its turn: %s",
             il.steps, text);
}

void il_interrupt(struct thread *other)
{
    if (other->signalled)
        return;
    other->signalled = true;
    other->suspended = other->wish;
    other->wish = (struct wish){.kind = WISH_GO, .deadline_ns = NO_DEADLINE};
}

static void wait_for_turn(void)
{
    struct thread *self = il.self;
    if (self->starter >= 0) { /* its first steps are done; whoever made it goes on */
        int starter = self->starter;
        self->starter = -1;
        switch_to(starter);
    } else {
        switch_to(choose());
    }
}

/* Its turn is for a signal. Afterwards it waits again for what it waited for, where the signal does not end that: true.
 */
static bool handle_signal(void)
{
    struct thread *self = il.self;
    struct wish wish = self->suspended;
    const void *pc = self->pc;
    bool waits = self->cancel.waits;
    self->signalled = self->cancel.waits = false;
    bool restarts = model_signals_arrive();
    self->pc = pc;
    self->cancel.waits = waits;
    self->timed_out = false;
    self->spurious = wish.kind == WISH_COND; /* as POSIX allows */
    self->interrupted = wish.breaks == BREAKS_ALWAYS || (wish.breaks == BREAKS_WITHOUT_RESTART && !restarts);
    if (self->spurious || self->interrupted || self->cancel.doomed)
        return false;
    self->wish = wish;
    wait_for_turn();
    return true;
}

/* il.self->wish has been filled in. */
static bool announce(void)
{
    struct thread *self = il.self;
    self->wishes++;
    self->wish_pc = self->pc;
    record_wish();
    self->timed_out = false;
    self->spurious = self->interrupted = false;
    self->wished_at = il.steps;
    if (++il.steps > il.steps_max)
        too_many_steps();
    if (++il.streak > FAIR_STEPS) { /* a loop that polls under a lock must not keep away whom it waits for */
        il.streak = 0;
        self->yielded = true;
        self->yields = ++il.yields;
        if (il.reducing)
            dpor_give_up();
    }
    wait_for_turn();
    while (__builtin_expect(self->signalled, false) && handle_signal())
        continue;
    self->wish.deadline_ns = NO_DEADLINE;
    self->wish.kind = WISH_GO;
    self->quiet_accesses = 0;
    if (__builtin_expect(self->cancel.doomed, false))
        model_cancelled();
    return !self->timed_out;
}

bool il_wish_for(struct wish wish)
{
    il.self->wish = wish;
    return announce();
}

/* Most wishes come this way: written in place, without a copy. */
bool il_wish(enum wish_kind kind, struct sync *on, uint64_t deadline_ns)
{
    struct wish *wish = &il.self->wish;
    wish->kind = kind;
    wish->on = on;
    wish->whom = 0;
    wish->deadline_ns = deadline_ns;
    wish->can = NULL;
    wish->breaks = BREAKS_NEVER;
    wish->waits = NULL;
    return announce();
}

static struct look *look_at(const void *address)
{
    struct thread *self = il.self;
    for (unsigned i = 0; i < self->looks_n && i < LOOKS_MAX; i++)
        if (self->looks[i].pc == self->pc && self->looks[i].address == address)
            return &self->looks[i];
    return NULL;
}

void il_wish_look(const void *address)
{
    const struct look *look = look_at(address);
    if (look && look->writes == il.writes && look->times >= LOOKS_FREE) {
        il.held = true;
        il_wish_for((struct wish){.kind = WISH_WRITE, .whom = il.writes, .deadline_ns = NO_DEADLINE});
    } else {
        il_wish(WISH_GO, NULL, NO_DEADLINE);
    }
}

/* Twice the same look with nothing written between is what makes the third one wait. */
void il_looked(const void *address, uint64_t value)
{
    struct thread *self = il.self;
    struct look *look = look_at(address);
    if (look && look->value != value)
        self->looks_n = 0; /* it saw something new: not the same round of the loop */
    unsigned times = look && look->value == value && look->writes == il.writes ? look->times + 1 : 1;
    if (!look || look->value != value)
        look = &self->looks[self->looks_n++ % LOOKS_MAX];
    *look = (struct look){.pc = self->pc, .address = address, .value = value, .writes = il.writes, .times = times};
}

void il_yield(void)
{
    il.self->yielded = true;
    il.self->yields = ++il.yields;
    il_wish(WISH_GO, NULL, NO_DEADLINE);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

static void thread_main(void)
{
    struct thread *self = il.self;
    if (il.current == 0)
        model_main_returned(il.program_main(il.argc, il.argv, il.environment));
    else if (self->body_int)
        self->result_int = self->body_int(self->argument);
    else
        self->result = self->body(self->argument);
    il_thread_end();
}

void il_stack(int thread, void *top)
{
    il.threads[thread].stack_top = top;
    il.threads[thread].place = fiber_prepare(top, thread_main);
}

static void thread_reset(struct thread *thread, int id)
{
    memset(thread, 0, offsetof(struct thread, sync)); /* clocks say themselves how much of them counts */
    thread->life = LIFE_RUNS;
    thread->starter = -1;
    thread->wish.deadline_ns = NO_DEADLINE;
    if (memory_guard(id))
        il_found(FIND_CANNOT, NULL, "no guard page can be put below the stack of thread %d", id + 1);
    il_stack(id, memory_stack_top(id));
    thread->order = mix((uint64_t)id + 1);
    thread->sync.n = thread->fence_out.n = thread->fence_in.n = 0;
    clock_reach(&thread->sync, (unsigned)id + 1);
}

int il_spawn(void *(*body)(void *), int (*body_int)(void *), void *argument, bool detached)
{
    if (il.n >= THREADS_MAX)
        il_found(FIND_CANNOT, NULL, "the program makes more than %d threads in one run", THREADS_MAX);
    int id = il.n++;
    struct thread *child = &il.threads[id];
    thread_reset(child, id);
    child->body = body;
    child->body_int = body_int;
    child->argument = argument;
    child->detached = detached;
    il_event(NULL, true, 0);
    clock_join(&child->sync, &il.self->sync);
    il_order(child);
    tick(child);
    tick(il.self);
    child->starter = il.current;
    return id;
}

void il_start(int thread)
{
    switch_to(thread);
}

_Noreturn void il_thread_end(void)
{
    struct thread *self = il.self;
    model_thread_ends();
    record_note("ends", NULL, -1);
    il_event(NULL, true, 0);
    self->life = LIFE_ENDED;
    if (self->detached)
        self->joined = true;
    if (self->starter >= 0)
        switch_to(self->starter);
    else
        switch_to(choose());
    __builtin_unreachable();
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static void run_reset(void)
{
    il.run++;
    il.switches = 0;
    il.n = 1;
    il.current = 0;
    il.self = &il.threads[0];
    il.free_switch = false;
    il.now_ns = 0;
    il.writes = il.yields = il.hash = 0;
    il.steps = il.cost = il.silent_spins = il.streak = il.late_at = 0;
    il.random_state = 1;
    il.choices.n = 0;
    il.overtaking = il.patient = il.alarm = false;
    il.outcome = RUN_ENDED;
    il.status = 0;
    il.finding.kind = FIND_NOTHING;
    il.finding.pc = NULL;
    il.finding.other = -1;
    memory_restore();
    heap_reset();
    shadow_reset();
    model_reset();
}

void engine_run(void)
{
    run_reset();
    thread_reset(&il.threads[0], 0);
    tick(&il.threads[0]);
    if (il.reducing)
        dpor_order(&il.threads[0]);
    errno = 0;
    il.inside = true;
    fiber_switch(&il.root_place, il.threads[0].place);
    il.inside = false;
}

void engine_assume_all(void)
{
    il.assume = (struct assumptions){.unlock_silent = true, .signal_silent = true, .cancel_silent = true};
    il.assumption_broken = false;
}

int engine_open(void)
{
    il.steps_max = 20000;
    il.bound = 0;
    engine_assume_all();
    return 0;
}
