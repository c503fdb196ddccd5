/* story_lock.c - patterns of locks, and of what must come often enough: barriers, semaphores, joins; see story.h. */
#include "story.h"
#include "story_facts.h"
#include "sync_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const void *wish_pc(int thread)
{
    return il.threads[thread].wish_pc ? il.threads[thread].wish_pc : il.threads[thread].pc;
}

static bool waits_for_lock(int thread)
{
    enum wish_kind kind = il.threads[thread].wish.kind;
    return kind == WISH_LOCK || kind == WISH_READ_LOCK || kind == WISH_WRITE_LOCK;
}

static const void *lock_wanted(int thread)
{
    return il.threads[thread].wish.on->address;
}

/* The row in which the owner of what `thread` waits for took it, or NO_ROW. */
static int taken_by_owner(int thread)
{
    int owner = record_waits_for(thread);
    return owner < 0 || !waits_for_lock(thread) ? NO_ROW : fact_taken(owner, (int)record.n, lock_wanted(thread));
}

/* ---- waits for itself -------------------------------------------------------------------------------------------- */

/* The last row of `thread` after `row` in the same call of the function that `row` is in. */
static int last_in_call(int row)
{
    int last = row;
    const struct row *first = &record.rows[row];
    for (int i = row + 1; i < (int)record.n; i++) {
        const void *there, *here;
        const struct row *it = &record.rows[i];
        if (it->thread == first->thread && first->frames_n && fact_common(first, it, &there, &here) &&
            there == first->frames[0].pc)
            last = i;
    }
    return last;
}

static void say_left_holding(struct story *story, int taken)
{
    struct place place;
    int last = last_in_call(taken);
    const struct row *row = &record.rows[taken];
    lines_place(row->pc, &place);
    if (last != taken)
        story_say(story, " The last that %s() did with it was at %s; on that way out it does not unlock.",
                  place.function, fact_line(record.rows[last].pc));
    story_advise(story, "Unlock on every way out of %s(): an early return, a break or an error path forgets it easily.",
                 place.function);
}

bool story_self_deadlock(struct story *story)
{
    int members[THREADS_MAX];
    unsigned n = il.finding.kind == FIND_DEADLOCK ? record_circle(members) : 0;
    if (n != 1 || !waits_for_lock(members[0]))
        return false;
    int thread = members[0], taken = taken_by_owner(thread);
    if (taken == NO_ROW)
        return false;
    const struct row *row = &record.rows[taken];
    story_row(story, taken);
    story_say(story, "%s locks %s at %s, but it holds it already, since %s: it waits for itself, for ever.",
              fact_who(thread), fact_object(lock_wanted(thread), wish_pc(thread)), fact_line(wish_pc(thread)),
              fact_line(row->pc));
    const void *there, *here;
    if (row->pc == wish_pc(thread) || !fact_common(row, &record.last[thread], &there, &here))
        say_left_holding(story, taken);
    else
        story_advise(story, "Lock in one place only, and give the function that is called with the lock held a form "
                            "that does not lock.");
    return true;
}

/* ---- a circle ---------------------------------------------------------------------------------------------------- */

static bool circle_of(int *members, unsigned *n, bool joins)
{
    bool any_join = false;
    *n = il.finding.kind == FIND_DEADLOCK ? record_circle(members) : 0;
    for (unsigned i = 0; i < *n; i++) {
        any_join |= il.threads[members[i]].wish.kind == WISH_JOIN;
        if (il.threads[members[i]].wish.kind != WISH_JOIN && taken_by_owner(members[i]) == NO_ROW)
            return false;
    }
    return *n > 1 && any_join == joins;
}

/* "thread 2 holds `a` (line 9) and waits for `b` (line 10)" */
static void say_holds_and_waits(struct story *story, int thread, int taken)
{
    const struct row *row = &record.rows[taken];
    story_row(story, taken);
    story_say(story, "%s took %s at %s and waits for ", fact_who(thread), fact_object_exactly(row->object, row->pc),
              fact_line(row->pc));
    if (il.threads[thread].wish.kind == WISH_JOIN)
        story_say(story, "the end of %s at %s", il_name(record_waits_for(thread)), fact_line(wish_pc(thread)));
    else
        story_say(story, "%s at %s", fact_object_exactly(lock_wanted(thread), wish_pc(thread)),
                  fact_line(wish_pc(thread)));
}

static void say_circle(struct story *story, const int *members, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        /* what this one holds and the one before it in the circle waits for */
        int before = members[(i + n - 1) % n], taken = taken_by_owner(before);
        story_say(story, "%s", i ? "; " : "");
        if (taken != NO_ROW)
            say_holds_and_waits(story, members[i], taken);
        else /* waited for by a join: it need not hold anything */
            story_say(story, "%s waits for %s at %s", fact_who(members[i]),
                      waits_for_lock(members[i]) ? fact_object(lock_wanted(members[i]), wish_pc(members[i]))
                                                 : il_name(record_waits_for(members[i])),
                      fact_line(wish_pc(members[i])));
        story_thread(story, members[i]);
    }
}

bool story_lock_order(struct story *story)
{
    int members[THREADS_MAX];
    unsigned n;
    if (!circle_of(members, &n, false))
        return false;
    say_circle(story, members, n);
    story_say(story, n == 2 ? ". Each waits for what the other holds." : ". Each waits for what the next one holds.");
    story_advise(story, "Take these locks in the same order everywhere (by address, say): then no circle can close.");
    return true;
}

bool story_join_holding(struct story *story)
{
    int members[THREADS_MAX];
    unsigned n;
    if (!circle_of(members, &n, true))
        return false;
    say_circle(story, members, n);
    story_say(story, ". Neither can go first.");
    story_advise(story, "Unlock before you join: the thread that is waited for may need the lock to end.");
    return true;
}

/* ---- ended with the lock ----------------------------------------------------------------------------------------- */

static int kept_lock(int *owner)
{
    if (il.finding.kind == FIND_MISUSE && strstr(il.finding.text, "ends while it holds")) {
        *owner = il.finding.thread;
        return fact_taken(*owner, (int)record.n, il.finding.address);
    }
    for (int i = 0; il.finding.kind == FIND_DEADLOCK && i < il.n; i++) {
        *owner = il.threads[i].life == LIFE_RUNS ? record_waits_for(i) : -1;
        if (*owner >= 0 && waits_for_lock(i) && il.threads[*owner].life == LIFE_ENDED)
            return taken_by_owner(i);
    }
    return NO_ROW;
}

bool story_lock_kept(struct story *story)
{
    int owner, taken = kept_lock(&owner);
    if (taken == NO_ROW)
        return false;
    const struct row *row = &record.rows[taken];
    story_row(story, taken);
    story_say(story, "%s took %s at %s and has ended without unlocking it: whoever wants it next waits for ever.",
              fact_who(owner), fact_object(row->object, row->pc), fact_line(row->pc));
    say_left_holding(story, taken);
    return true;
}

/* ---- too few ----------------------------------------------------------------------------------------------------- */

static int stuck_with(enum wish_kind kind)
{
    for (int i = 0; il.finding.kind == FIND_DEADLOCK && i < il.n; i++)
        if (il.threads[i].life == LIFE_RUNS && il.threads[i].wish.kind == kind)
            return i;
    return -1;
}

static unsigned count(int thread, enum op op, const void *object)
{
    unsigned n = 0;
    for (unsigned i = 0; i < record.n; i++)
        n += (thread < 0 || record.rows[i].thread == thread) && record.rows[i].op == op &&
             record.rows[i].object == object;
    return n;
}

bool story_barrier(struct story *story)
{
    int thread = stuck_with(WISH_BARRIER);
    if (thread < 0 || record.lost)
        return false;
    const struct sync *barrier = il.threads[thread].wish.on;
    unsigned all = count(-1, OP_ARRIVE, barrier->address);
    const char *comma = "";
    story_row(story, fact_last((int)record.n, thread, OP_ARRIVE, barrier->address));
    story_say(story, "The barrier %s lets go when %u have come, and %u wait%s at it (%s). They came to it %u times: ",
              fact_object(barrier->address, wish_pc(thread)), barrier->size, barrier->waiters,
              barrier->waiters == 1 ? "s" : "", fact_line(wish_pc(thread)), all);
    for (int i = 0; i < il.n; i++) {
        unsigned times = count(i, OP_ARRIVE, barrier->address);
        if (times) {
            story_say(story, "%s%s %u", comma, il_name(i), times);
            story_thread(story, i);
            comma = ", ";
        }
    }
    story_say(story, ". %u is not a multiple of %u, so the last wait for ever.", all, barrier->size);
    story_advise(story,
                 "As many threads as the barrier was made for must come to it, all equally often; one that comes "
                 "again takes the place of another.");
    return true;
}

bool story_semaphore(struct story *story)
{
    int thread = stuck_with(WISH_SEMAPHORE);
    if (thread < 0 || record.lost)
        return false;
    const struct sync *semaphore = il.threads[thread].wish.on;
    unsigned posts = count(-1, OP_POST, semaphore->address), takes = count(-1, OP_TAKE, semaphore->address);
    story_thread(story, thread);
    story_row(story, fact_last((int)record.n, -1, OP_POST, semaphore->address));
    story_say(story,
              "The semaphore %s began with %" PRIu64
              ", %u came with sem_post and %u went; %s waits at %s for one more, "
              "and nobody is left to post it.",
              fact_object(semaphore->address, wish_pc(thread)), semaphore->value + takes - posts, posts, takes,
              fact_who(thread), fact_line(wish_pc(thread)));
    story_advise(story, "Every way that ought to post must do so, early returns and error paths too.");
    return true;
}

/* ---- nobody waits for a thread ----------------------------------------------------------------------------------- */

bool story_thread_forgotten(struct story *story)
{
    if (il.finding.kind != FIND_MISUSE || !strstr(il.finding.text, "main returns"))
        return false;
    for (int i = 1; i < il.n; i++) {
        const struct thread *thread = &il.threads[i];
        if (thread->joined || thread->detached)
            continue;
        int made = NO_ROW;
        for (unsigned k = 0; k < record.n; k++)
            if (record.rows[k].op == OP_MAKE && record.rows[k].other == i)
                made = (int)k;
        if (made == NO_ROW)
            return false;
        story_row(story, made);
        story_thread(story, i);
        story_say(story, "%s was made at %s, and nobody joins it or detaches it. ", fact_who(i),
                  fact_line(record.rows[made].pc));
        if (thread->life == LIFE_RUNS)
            story_say(story, "Main returns, and that ends the program in the middle of what it does (%s).",
                      fact_line(thread->wish_pc ? thread->wish_pc : thread->pc));
        else
            story_say(story, "It had ended in this run; had it been slower, the end of the program would have cut it "
                             "off, and what a thread leaves behind is only freed by a join.");
        story_advise(story, "Join every thread that was made (pthread_join), on every way out.");
        return true;
    }
    return false;
}
