/* search.c - see search.h. */
#include "search.h"

#include "dpor.h"
#include "minimise.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A point of decision that was reached for the first time: how, from the point before. Point 0 is the start. */
struct point {
    uint32_t before;
    uint32_t choice;
};

/* A choice at a point that is still to be run. */
struct item {
    uint32_t point;
    uint32_t choice;
};

struct list {
    struct item *items;
    size_t n, room;
};

struct seen {
    uint64_t *keys; /* open addressing; 0 is free */
    size_t n, size;
};

enum {
    SEEN_KEPT = 1 << 16,   /* keys */
    RANDOM_SHARE = 10,     /* the random search has a tenth of the budget */
    PRIORITY_LEAST = 1000, /* at the start; below come change points, and below 0 those who gave way */
    EARLY_FREE = 3, /* limits of one thread that pass before others go, and cost it nothing in the random search */
};

enum mode { MODE_REPLAY, MODE_PROBE, MODE_REDUCED, MODE_BOUNDED, MODE_RANDOM };

static struct {
    enum mode mode;
    bool failed; /* no memory, or a replay that does not fit */

    /* a prefix to be taken, then whatever the mode says */
    struct choices prefix;

    /* bounded */
    struct point *points;
    size_t points_n, points_room;
    uint32_t at; /* the last point of this run */
    struct list now, later;
    struct seen seen;  /* points of decision */
    struct seen whole; /* whole runs, where they are counted */

    /* random */
    uint64_t random;
    int32_t priority[THREADS_MAX];
    unsigned changes[16], changes_n, steps;
    uint8_t early[THREADS_MAX]; /* how often its limit passed while others could go */
    int32_t lowest;             /* priority of who gave way last */
} search;

/* ---- what was seen ----------------------------------------------------------------------------------------------- */

static bool seen_insert(uint64_t *table, size_t size, uint64_t key)
{
    size_t at = key & (size - 1);
    while (table[at] && table[at] != key)
        at = (at + 1) & (size - 1);
    bool is_new = table[at] == 0;
    table[at] = key;
    return is_new;
}

static bool seen_grow(struct seen *seen)
{
    size_t size = seen->size ? seen->size * 2 : 1 << 12;
    uint64_t *larger = calloc(size, sizeof *larger);
    if (!larger)
        return false;
    for (size_t i = 0; i < seen->size; i++)
        if (seen->keys[i])
            seen_insert(larger, size, seen->keys[i]);
    free(seen->keys);
    seen->keys = larger;
    seen->size = size;
    return true;
}

/* Was this key there? It is now. */
static bool seen_before(struct seen *seen, uint64_t key)
{
    if (seen->n * 2 >= seen->size && !seen_grow(seen)) {
        search.failed = true;
        return true;
    }
    if (!seen_insert(seen->keys, seen->size, key ? key : 1))
        return true;
    seen->n++;
    return false;
}

/* A large table is dear to wipe, and the next search may be a small one. */
static void seen_forget(struct seen *seen)
{
    if (seen->size > SEEN_KEPT) {
        free(seen->keys);
        seen->keys = NULL;
        seen->size = 0;
    }
    if (seen->keys)
        memset(seen->keys, 0, seen->size * sizeof *seen->keys);
    seen->n = 0;
}

static bool grow(void **items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return true;
    size_t larger = *room ? *room * 2 : 1024;
    void *moved = realloc(*items, larger * size);
    if (!moved) {
        search.failed = true;
        return false;
    }
    *items = moved;
    *room = larger;
    return true;
}

static void push(struct list *list, struct item item)
{
    if (grow((void **)&list->items, list->n, &list->room, sizeof item))
        list->items[list->n++] = item;
}

static uint32_t point_add(uint32_t before, unsigned choice)
{
    if (!grow((void **)&search.points, search.points_n, &search.points_room, sizeof *search.points))
        return 0;
    search.points[search.points_n] = (struct point){.before = before, .choice = choice};
    return (uint32_t)search.points_n++;
}

/* ---- picks ------------------------------------------------------------------------------------------------------- */

/* search.at is the point that this decision is made at. The first choice is taken now, the others later: from the last
 * to the second, so that the second is taken first. */
static unsigned pick_bounded(const struct decision *decision)
{
    if (seen_before(&search.seen, decision->key))
        return PICK_PRUNE;
    for (unsigned i = decision->n; i-- > 1;) {
        struct item item = {.point = search.at, .choice = i};
        push(decision->cost[i] ? &search.later : &search.now, item);
    }
    search.at = point_add(search.at, 0);
    return search.failed ? PICK_PRUNE : 0;
}

static uint64_t random_next(void) /* xorshift64* (Vigna 2016) */
{
    search.random ^= search.random >> 12;
    search.random ^= search.random << 25;
    search.random ^= search.random >> 27;
    return search.random * 0x2545f4914f6cdd1dULL;
}

/* The candidate of the highest priority; at a change point the one that would go falls below all others. */
static unsigned pick_random(const struct decision *decision)
{
    if (decision->is_data)
        return (unsigned)(random_next() >> 33) % decision->n;
    unsigned best = 0;
    search.steps++;
    for (unsigned round = 0; round < 2; round++) {
        best = 0;
        for (unsigned i = 1; i < decision->n; i++)
            if (search.priority[decision->who[i]] > search.priority[decision->who[best]])
                best = i;
        for (unsigned i = 0; round == 0 && i < search.changes_n; i++)
            if (search.changes[i] == search.steps)
                search.priority[decision->who[best]] = (int32_t)i;
    }
    return best;
}

/* Priorities are for ever, and a limit may pass at any time: who waits with one, looks and waits again would go round
 * and round before whoever it waits for. So it may do that a few times, and then falls below all others each time, as
 * who yields does (Burckhardt et al., section 4). */
void search_limit_passed_early(int thread)
{
    if (search.mode != MODE_RANDOM)
        return;
    if (search.early[thread] < EARLY_FREE)
        search.early[thread]++;
    else
        search.priority[thread] = --search.lowest;
}

unsigned search_pick(const struct decision *decision)
{
    unsigned depth = il.choices.n;
    if (search.mode == MODE_REDUCED)
        return dpor_data(decision->n);
    if (depth < search.prefix.n) {
        unsigned choice = search.prefix.at[depth];
        if (choice < decision->n)
            return choice;
        search.failed = true;
        return PICK_PRUNE;
    }
    if (search.mode == MODE_PROBE)
        return minimise_pick(decision);
    if (search.mode == MODE_BOUNDED)
        return pick_bounded(decision);
    if (search.mode == MODE_RANDOM)
        return pick_random(decision);
    return 0;
}

/* ---- bounded ----------------------------------------------------------------------------------------------------- */

/* The choices that lead to `item`, and itself. */
static void prefix_of(struct item item)
{
    unsigned n = 1;
    for (uint32_t at = item.point; at; at = search.points[at].before)
        n++;
    if (n > CHOICES_MAX)
        n = CHOICES_MAX;
    search.prefix.n = n;
    search.prefix.at[--n] = (uint8_t)item.choice;
    for (uint32_t at = item.point; at && n; at = search.points[at].before)
        search.prefix.at[--n] = (uint8_t)search.points[at].choice;
}

static void count_run(const struct search_options *options, struct search_report *report)
{
    if (il.outcome == RUN_PRUNED) {
        report->equal++;
        return;
    }
    report->whole++;
    if (!options->count || seen_before(&search.whole, il.hash))
        return;
    report->different++;
    report->fingerprint += il.hash;
}

static void note_run(struct search_report *report)
{
    report->runs++;
    if ((unsigned)il.n > report->threads)
        report->threads = (unsigned)il.n;
    if (il.choices.n > report->steps)
        report->steps = il.choices.n;
    if (il.steps > report->longest)
        report->longest = il.steps;
    if (il.outcome == RUN_FOUND) {
        report->found = true;
        report->failing.n = il.choices.n;
        memcpy(report->failing.at, il.choices.at, il.choices.n);
        report->failing_cost = il.cost;
        report->failing_steps = il.steps;
    }
}

static void bounded_reset(void)
{
    seen_forget(&search.seen);
    search.points_n = 0;
    search.now.n = search.later.n = 0;
    search.prefix.n = 0;
    search.at = point_add(0, 0);
}

static void run_bounded(const struct search_options *options, struct search_report *report, unsigned bound)
{
    engine_run();
    note_run(report);
    if (bound < sizeof report->at_bound / sizeof report->at_bound[0])
        report->at_bound[bound]++;
    count_run(options, report);
}

/* So many of these runs, and fewer where one takes so many steps that they would come to more than a share of all. */
static uint64_t affordable(const struct search_options *options, const struct search_report *report, uint64_t runs,
                           unsigned share)
{
    uint64_t steps = options->steps_total / share;
    return steps && report->longest && steps / report->longest < runs ? steps / report->longest : runs;
}

static bool go_on(const struct search_options *options, const struct search_report *report)
{
    return !report->found && !search.failed && !il.assumption_broken &&
           report->runs < affordable(options, report, options->runs_max, 1);
}

/* All that is left with the preemptions of this bound. */
static void run_items(const struct search_options *options, struct search_report *report, unsigned bound)
{
    while (search.now.n && go_on(options, report)) {
        struct item item = search.now.items[--search.now.n];
        prefix_of(item);
        search.at = point_add(item.point, item.choice);
        run_bounded(options, report, bound);
    }
}

static void bounded(const struct search_options *options, struct search_report *report)
{
    search.mode = MODE_BOUNDED;
    il.bound = options->preemptions;
    il.dropped = false;
    bounded_reset();
    report->bound_done = -1;
    run_bounded(options, report, 0);
    for (unsigned bound = 0; go_on(options, report); bound++) {
        run_items(options, report, bound);
        if (search.now.n || !go_on(options, report))
            return;
        report->bound_done = (int)bound;
        if (search.later.n == 0) {
            report->everything = !il.dropped && !il.was_long;
            return;
        }
        struct list done = search.now;
        search.now = search.later;
        search.later = done;
    }
}

/* ---- reduced ----------------------------------------------------------------------------------------------------- */

/* One run of each trace. Where the program does what the reduction does not cover, what is left of the budget is for
 * the bounded search. */
static void reduced(const struct search_options *options, struct search_report *report, uint64_t runs_max)
{
    bool more = true;
    uint64_t before = report->runs;
    search.mode = MODE_REDUCED;
    seen_forget(&search.whole);
    il.bound = UINT_MAX;
    il.reducing = true;
    dpor_begin();
    while (more && !report->found && !search.failed && !il.assumption_broken &&
           report->runs - before < affordable(options, report, runs_max, 1)) {
        dpor_run_begins();
        engine_run();
        note_run(report);
        more = dpor_run_ended();
        count_run(options, report);
    }
    il.reducing = false;
    report->everything = !more && !dpor_gave_up() && !report->found && !il.assumption_broken && !il.was_long;
    report->reduced = report->runs - before;
}

/* Every interleaving with few preemptions was run: about as many again by reduction, which may be all there are, or
 * find what needs more of them. */
static void look_deeper(const struct search_options *options, struct search_report *report)
{
    enum { AT_LEAST = 2000 };
    uint64_t whole = report->whole, equal = report->equal, runs_max = report->runs;
    bool held = il.held, fair_only = il.fair_only;
    if (options->no_reduction || il.sleeps_order)
        return;
    if (runs_max < AT_LEAST)
        runs_max = AT_LEAST;
    reduced(options, report, runs_max < options->runs_random ? runs_max : options->runs_random);
    report->whole -= report->everything ? whole : report->whole - whole;
    report->equal -= report->everything ? equal : report->equal - equal;
    if (!report->everything) {
        il.held = held;
        il.fair_only = fair_only;
    }
}

/* ---- random ------------------------------------------------------------------------------------------------------ */

static void random_prepare(const struct search_options *options, const struct search_report *report)
{
    for (unsigned i = 0; i < THREADS_MAX; i++)
        search.priority[i] = PRIORITY_LEAST + (int32_t)(random_next() >> 34);
    memset(search.early, 0, sizeof search.early);
    search.lowest = 0;
    search.changes_n = options->depth > 16 ? 16 : options->depth - 1;
    for (unsigned i = 0; i < search.changes_n; i++)
        search.changes[i] = 1 + (unsigned)((random_next() >> 33) % (report->steps + 1));
    search.steps = 0;
}

static void random_runs(const struct search_options *options, struct search_report *report)
{
    search.mode = MODE_RANDOM;
    search.prefix.n = 0;
    search.random = options->seed * 0x9e3779b97f4a7c15ULL + 0x1234567;
    il.bound = UINT_MAX;
    while (report->random < affordable(options, report, options->runs_random, RANDOM_SHARE) && !report->found &&
           !il.assumption_broken) {
        random_prepare(options, report);
        engine_run();
        note_run(report);
        report->random++;
    }
}

/* ---- all together ------------------------------------------------------------------------------------------------ */

static bool run_prefix(const struct choices *choices, enum mode mode)
{
    search.mode = mode;
    search.failed = false;
    search.prefix.n = choices->n;
    memcpy(search.prefix.at, choices->at, choices->n);
    il.bound = UINT_MAX;
    engine_run();
    return !search.failed;
}

bool search_replay(const struct choices *choices)
{
    return run_prefix(choices, MODE_REPLAY);
}

bool search_probe(const struct choices *choices)
{
    return run_prefix(choices, MODE_PROBE);
}

/* What a run showed to be needed (scheduling points that were left out) is added, and the search begins again. */
static void begin_again(struct search_report *report)
{
    il.assume = (struct assumptions){false, false, false};
    il.assumption_broken = false;
    *report = (struct search_report){.bound_done = -1};
}

static void search_all(const struct search_options *options, struct search_report *report)
{
    if (options->preemptions == UINT_MAX && !options->no_reduction && !il.sleeps_order) {
        reduced(options, report, options->runs_max);
        if (report->everything || report->found || search.failed || il.assumption_broken)
            return;
    }
    seen_forget(&search.whole);
    report->different = report->fingerprint = 0;
    bounded(options, report);
    if (go_on(options, report) && !report->everything && options->deeper)
        look_deeper(options, report);
    if (go_on(options, report) || report->found || report->everything || search.failed || il.assumption_broken)
        return;
    if (options->preemptions != UINT_MAX && !options->no_reduction && !il.sleeps_order)
        reduced(options, report, options->runs_random); /* few runs may suffice where few preemptions took too many */
    if (!report->everything && !report->found && !search.failed && !il.assumption_broken)
        random_runs(options, report);
}

int search_run(const struct search_options *options, struct search_report *report)
{
    *report = (struct search_report){.bound_done = -1};
    search.failed = il.held = il.fair_only = il.was_long = false;
    search_all(options, report);
    if (il.assumption_broken) {
        begin_again(report);
        search_all(options, report);
    }
    report->held = il.held;
    report->fair_only = il.fair_only;
    report->was_long = il.was_long;
    if (search.failed)
        return -1;
    if (report->found && il.finding.kind != FIND_CANNOT)
        minimise(report, il.finding.kind);
    return 0;
}
