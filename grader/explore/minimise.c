/* minimise.c - see minimise.h. */
#include "minimise.h"

#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 1 << 16, PROBES_MAX = 8000, STEPS_MAX = 500000, SLOTS = 1 << 15 };

/* A choice at a point of decision: how it came there, and what it costs to be here. */
struct node {
    uint32_t before; /* 0: the start */
    uint8_t choice;
    uint64_t cost;
};

struct seen {
    uint64_t key, cost;
};

static struct {
    struct node *nodes;
    uint32_t nodes_n;
    uint32_t *heap; /* of nodes, the cheapest first; the older first where equal */
    uint32_t heap_n;
    struct seen *seen; /* open addressing; key 0 is free */
    uint32_t seen_n;

    /* the decision that the last probe came to */
    bool has_decision;
    unsigned n;
    uint64_t key, here;
    uint8_t who[CANDIDATES_MAX], cost[CANDIDATES_MAX];
    int current;
    bool is_data;
} work;

/* Preemptions, then switches, then steps. */
static uint64_t cost_of(unsigned preemptions, unsigned switches, unsigned steps)
{
    return (uint64_t)(preemptions & 0xffff) << 48 | (uint64_t)(switches & 0xffffff) << 24 | (steps & 0xffffff);
}

static uint64_t cost_here(void)
{
    return cost_of(il.cost, il.switches, il.steps);
}

/* ---- taking back ------------------------------------------------------------------------------------------------- */

static void take_over(struct search_report *report, uint64_t *best)
{
    *best = cost_here();
    report->failing.n = il.choices.n;
    memcpy(report->failing.at, il.choices.at, il.choices.n);
    report->failing_cost = il.cost;
    report->failing_steps = il.steps;
}

static bool try_simpler(const struct choices *choices, enum finding_kind kind, struct search_report *report,
                        uint64_t *best)
{
    if (!search_replay(choices) || il.outcome != RUN_FOUND || il.finding.kind != kind || cost_here() >= *best)
        return false;
    take_over(report, best);
    return true;
}

static void take_back(struct search_report *report, enum finding_kind kind, uint64_t *best)
{
    static struct choices fewer;
    bool better = true;
    for (unsigned round = 0; better && round < 8; round++) {
        better = false;
        for (unsigned i = report->failing.n; i-- > 0;) {
            if (i >= report->failing.n || report->failing.at[i] == 0)
                continue;
            fewer = report->failing;
            fewer.at[i] = 0;
            bool took = try_simpler(&fewer, kind, report, best);
            if (!took) {
                fewer = report->failing;
                fewer.n = i;
                took = try_simpler(&fewer, kind, report, best);
            }
            better |= took;
        }
    }
}

/* ---- by cost ----------------------------------------------------------------------------------------------------- */

unsigned minimise_pick(const struct decision *decision)
{
    work.has_decision = true;
    work.n = decision->n < CANDIDATES_MAX ? decision->n : CANDIDATES_MAX;
    work.key = decision->key;
    work.here = cost_here();
    work.current = il.current;
    work.is_data = decision->is_data;
    memcpy(work.cost, decision->cost, work.n);
    memcpy(work.who, decision->who, work.n);
    return PICK_PRUNE;
}

static bool cheaper(uint32_t a, uint32_t b)
{
    const struct node *one = &work.nodes[a], *two = &work.nodes[b];
    return one->cost != two->cost ? one->cost < two->cost : a < b;
}

static void heap_push(uint32_t node)
{
    uint32_t at = work.heap_n++;
    while (at > 0 && cheaper(node, work.heap[(at - 1) / 2])) {
        work.heap[at] = work.heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    work.heap[at] = node;
}

static uint32_t heap_pop(void)
{
    uint32_t first = work.heap[0], last = work.heap[--work.heap_n], at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= work.heap_n)
            break;
        if (child + 1 < work.heap_n && cheaper(work.heap[child + 1], work.heap[child]))
            child++;
        if (!cheaper(work.heap[child], last))
            break;
        work.heap[at] = work.heap[child];
        at = child;
    }
    work.heap[at] = last;
    return first;
}

static void node_add(uint32_t before, unsigned choice, uint64_t cost)
{
    if (work.nodes_n >= NODES_MAX)
        return;
    work.nodes[work.nodes_n] = (struct node){.before = before, .choice = (uint8_t)choice, .cost = cost};
    heap_push(work.nodes_n++);
}

/* Has this point been come to as cheaply before? */
static bool known(uint64_t key, uint64_t cost)
{
    key += key == 0;
    size_t at = key & (SLOTS - 1);
    while (work.seen[at].key && work.seen[at].key != key)
        at = (at + 1) & (SLOTS - 1);
    struct seen *seen = &work.seen[at];
    if (seen->key && seen->cost <= cost)
        return true;
    if (!seen->key && work.seen_n + 1 >= SLOTS / 2)
        return false;
    work.seen_n += !seen->key;
    *seen = (struct seen){.key = key, .cost = cost};
    return false;
}

/* The choices that lead to `node`. Point 0 has none. */
static void prefix_of(uint32_t node, struct choices *prefix)
{
    unsigned n = 0;
    for (uint32_t at = node; at; at = work.nodes[at].before)
        n++;
    prefix->n = n < CHOICES_MAX ? n : CHOICES_MAX;
    for (uint32_t at = node; at && n; at = work.nodes[at].before)
        prefix->at[--n] = work.nodes[at].choice;
}

static void expand(uint32_t node, uint64_t best)
{
    uint64_t stands = (uint64_t)(work.current + 1) * 0x9e3779b97f4a7c15ULL;
    if (work.here >= best || known(work.key ^ stands, work.here))
        return;
    for (unsigned i = 0; i < work.n; i++) {
        bool switches = !work.is_data && work.who[i] != work.current;
        uint64_t cost = work.here + cost_of(work.cost[i], switches, 0);
        if (cost < best)
            node_add(node, i, cost);
    }
}

static void by_cost(struct search_report *report, enum finding_kind kind, uint64_t best)
{
    static struct choices prefix;
    unsigned probes = 0;
    uint64_t steps = 0;
    work.nodes_n = work.heap_n = work.seen_n = 0;
    node_add(0, 0, 0); /* the start itself */
    while (work.heap_n && probes++ < PROBES_MAX && steps < STEPS_MAX) {
        uint32_t node = heap_pop();
        if (work.nodes[node].cost >= best)
            return; /* nothing shorter is left */
        prefix_of(node, &prefix);
        work.has_decision = false;
        if (!search_probe(&prefix))
            continue;
        steps += il.steps;
        if (work.has_decision)
            expand(node, best);
        else if (il.outcome == RUN_FOUND && il.finding.kind == kind && cost_here() < best)
            take_over(report, &best);
    }
}

void minimise(struct search_report *report, enum finding_kind kind)
{
    static struct choices same;
    same = report->failing;
    if (!search_replay(&same) || il.outcome != RUN_FOUND)
        return;
    uint64_t best = cost_here();
    take_back(report, kind, &best);
    work.nodes = malloc(NODES_MAX * sizeof *work.nodes);
    work.heap = malloc(NODES_MAX * sizeof *work.heap);
    work.seen = calloc(SLOTS, sizeof *work.seen);
    if (work.nodes && work.heap && work.seen)
        by_cost(report, kind, best);
    free(work.nodes);
    free(work.heap);
    free(work.seen);
}
