/* story_memory.c - patterns of memory: races, values that were read too early, objects that are gone; see story.h. */
#include "story.h"

#include "heap.h"
#include "story_facts.h"

#include <stdio.h>
#include <string.h>

/* ---- a race's two sides ------------------------------------------------------------------------------------------ */

/* The row of the race's earlier access, and that of the later, which ended the run. */
static bool race_rows(int *earlier, int *later)
{
    const struct finding *finding = &il.finding;
    if (finding->kind != FIND_RACE || record.n == 0)
        return false;
    *later = (int)record.n - 1;
    for (*earlier = *later - 1; *earlier >= 0; --*earlier) {
        const struct row *row = &record.rows[*earlier];
        const char *at = row->object, *wanted = finding->address;
        size_t size = row->size ? row->size : 1;
        bool touches = at && at < wanted + finding->size && wanted < at + size;
        bool frees = row->op == OP_FREE || row->op == OP_DESTROY;
        if (row->thread == finding->other && ((touches && row->is_write == finding->other_write) || (frees && touches)))
            return true;
    }
    return false;
}

static const char *does(const struct row *row)
{
    bool writes = row->is_write || row->op == OP_RACE_WRITE || row->op == OP_SET || row->op == OP_CHANGE;
    if (row->op == OP_FREE || fact_line_has(row->pc, "free"))
        return "frees";
    return writes ? "writes" : "reads";
}

static void say_side(struct story *story, int i)
{
    const struct row *row = &record.rows[i];
    int lock = fact_any_lock(row->thread, i);
    story_row(story, i);
    story_say(story, "%s %s %s at %s, ", fact_who(row->thread), does(row), fact_object(row->object, row->pc),
              fact_line(row->pc));
    if (lock == NO_ROW)
        story_say(story, "holding no lock");
    else
        story_say(story, "holding %s (taken at %s)", fact_object(record.rows[lock].object, record.rows[lock].pc),
                  fact_line(record.rows[lock].pc));
}

bool story_race(struct story *story)
{
    int earlier, later;
    if (!race_rows(&earlier, &later))
        return false;
    const struct row *one = &record.rows[earlier], *two = &record.rows[later];
    struct place first, second;
    say_side(story, earlier);
    story_say(story, "; ");
    say_side(story, later);
    story_say(story, ". Nothing puts one before the other: no lock that both hold, no join, no atomic operation.");
    lines_place(one->pc, &first);
    lines_place(two->pc, &second);
    if (strcmp(does(one), "frees") == 0 || strcmp(does(two), "frees") == 0)
        story_advise(story, "Free a thing only when nobody can use it any more: after the join, or when the last user "
                            "has said so under the lock.");
    else if (first.line == second.line && (strstr(first.text, "++") || strstr(first.text, "--") ||
                                           strstr(first.text, "+=") || strstr(first.text, "-=")))
        story_advise(story, "Reading, computing and writing are three steps: who comes in between works from an old "
                            "value, and one of the two changes is lost. Hold one lock for all three.");
    else
        story_advise(story, "Guard it with one lock, held by everyone who uses it.");
    return true;
}

/* ---- an atomic variable that orders nothing ---------------------------------------------------------------------- */

/* The later side's last look at an atomic variable that the earlier one had set after its access: the two rows. */
static bool flag_between(int earlier, int later, int *set, int *look)
{
    int one = record.rows[earlier].thread, two = record.rows[later].thread;
    for (*look = later - 1; *look > earlier; --*look) {
        const struct row *row = &record.rows[*look];
        if (row->thread != two || (row->op != OP_LOOK && row->op != OP_CHANGE))
            continue;
        for (*set = *look - 1; *set > earlier; --*set) {
            const struct row *by = &record.rows[*set];
            if (by->object != row->object || !fact_writes(by))
                continue;
            if (by->thread == one && by->size && by->after == (row->op == OP_LOOK ? row->after : by->after))
                return true;
            break; /* somebody else's value is what was seen */
        }
    }
    return false;
}

bool story_relaxed(struct story *story)
{
    int earlier, later, set, look;
    if (!race_rows(&earlier, &later) || !flag_between(earlier, later, &set, &look))
        return false;
    const struct row *by = &record.rows[set], *seen = &record.rows[look];
    const struct row *one = &record.rows[earlier], *two = &record.rows[later];
    story_row(story, earlier);
    story_row(story, later);
    story_say(
        story,
        "%s writes %s (%s) and then sets %s to %s (%s); %s sees that (%s) and uses %s (%s). But with these memory "
        "orders, seeing the one does not mean seeing the other: the compiler and the processor may turn them "
        "round.",
        fact_who(one->thread), fact_object(one->object, one->pc), fact_line(one->pc), fact_object(by->object, by->pc),
        fact_value(by, by->after), fact_line(by->pc), fact_who(two->thread), fact_line(seen->pc),
        fact_object(two->object, two->pc), fact_line(two->pc));
    if (strcmp(does(one), "writes") != 0)
        return false;
    story_advise(story, "Set it with memory_order_release (or the default) and read it with memory_order_acquire.");
    return true;
}

/* ---- tested without the lock, to be made once -------------------------------------------------------------------- */

bool story_double_checked(struct story *story)
{
    int earlier, later;
    if (!race_rows(&earlier, &later))
        return false;
    int reader = strcmp(does(&record.rows[later]), "reads") == 0 ? later : earlier;
    int writer = reader == later ? earlier : later;
    const struct row *read = &record.rows[reader], *write = &record.rows[writer];
    if (strcmp(does(read), "reads") != 0 || strcmp(does(write), "writes") != 0 ||
        fact_any_lock(read->thread, reader) != NO_ROW)
        return false;
    int lock = fact_any_lock(write->thread, writer);
    struct place wanted, place;
    lines_place(read->pc, &wanted);
    for (int i = lock - 1; i >= 0 && lock != NO_ROW; i--) { /* the writer tested there, too, before it locked */
        const struct row *row = &record.rows[i];
        if (row->thread != write->thread || row->object != read->object || !lines_place(row->pc, &place) ||
            place.line != wanted.line || fact_any_lock(row->thread, i) != NO_ROW)
            continue;
        story_row(story, reader);
        story_row(story, writer);
        story_say(story,
                  "%s tests %s at %s without the lock, while %s, which tested it there too and then took %s (%s), "
                  "writes it at %s. The test may see it written and yet not what was written before it.",
                  fact_who(read->thread), fact_object(read->object, read->pc), fact_line(read->pc),
                  fact_who(write->thread), fact_object(record.rows[lock].object, record.rows[lock].pc),
                  fact_line(record.rows[lock].pc), fact_line(write->pc));
        story_advise(story, "Double-checked locking needs an atomic variable: store with release, load with acquire; "
                            "or use pthread_once, or always lock.");
        return true;
    }
    return false;
}

/* ---- gone -------------------------------------------------------------------------------------------------------- */

/* The row that freed or destroyed what the finding is about. */
static int end_of_object(void)
{
    const struct finding *finding = &il.finding;
    size_t offset, size;
    const void *pc;
    int freed_by;
    if (finding->kind == FIND_MISUSE && strstr(finding->text, "destroy"))
        return fact_last((int)record.n, -1, OP_DESTROY, finding->address);
    if (finding->kind == FIND_HEAP && heap_describe(finding->address, &offset, &size, &pc, &freed_by) && freed_by >= 0)
        return fact_last((int)record.n, -1, OP_FREE, (const char *)finding->address - offset);
    return NO_ROW;
}

static bool is_notification(const void *pc)
{
    static const char *const calls[] = {"pthread_cond_signal", "pthread_cond_broadcast", "cnd_signal", "cnd_broadcast",
                                        "sem_post"};
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (fact_line_has(pc, calls[i]))
            return true;
    return false;
}

bool story_notify_late(struct story *story)
{
    int gone = end_of_object(), user = il.finding.thread;
    if (gone == NO_ROW || record.rows[gone].thread == user || !is_notification(il.finding.pc) ||
        fact_any_lock(user, (int)record.n) != NO_ROW)
        return false;
    int unlock = fact_last((int)record.n, user, OP_UNLOCK, NULL);
    if (unlock == NO_ROW)
        return false;
    const struct row *end = &record.rows[gone];
    story_row(story, unlock);
    story_row(story, gone);
    story_say(story,
              "%s unlocked at %s and notifies only then, at %s. In between %s could go on, was done, and %s the object "
              "at %s: the notification reaches what is no more.",
              fact_who(user), fact_line(record.rows[unlock].pc), fact_line(il.finding.pc), fact_who(end->thread),
              end->op == OP_FREE ? "freed" : "destroyed", fact_line(end->pc));
    story_advise(story, "Notify before the unlock, where others may free the object as soon as they have the lock.");
    return true;
}

static void say_gone(struct story *story, int gone, const char *verb)
{
    const struct row *end = &record.rows[gone];
    story_row(story, gone);
    story_thread(story, il.finding.thread);
    if (end->thread == il.finding.thread)
        story_say(story, "%s %s it at %s and still uses it at %s.", fact_who(end->thread), verb, fact_line(end->pc),
                  fact_line(il.finding.pc));
    else
        story_say(story, "%s %s it at %s, but %s had not finished with it: it still uses it at %s.",
                  fact_who(end->thread), verb, fact_line(end->pc), fact_who(il.finding.thread),
                  fact_line(il.finding.pc));
    story_advise(story, "%s",
                 "Only whoever is last may do that: join the others first, or count the users under the "
                 "lock.");
}

bool story_freed(struct story *story)
{
    int gone = end_of_object();
    if (gone == NO_ROW || record.rows[gone].op != OP_FREE)
        return false;
    say_gone(story, gone, "freed");
    return true;
}

bool story_destroyed(struct story *story)
{
    int gone = end_of_object();
    if (gone == NO_ROW || record.rows[gone].op != OP_DESTROY)
        return false;
    say_gone(story, gone, "destroyed");
    return true;
}

/* ---- a sleep that was thought to order --------------------------------------------------------------------------- */

static bool waits_for_another(const struct row *row)
{
    return row->op == OP_JOIN || row->op == OP_AWAKE || row->op == OP_TAKE || row->op == OP_LEAVE;
}

/* Its last sleep of time, after which it has waited for nobody; or NO_ROW. */
static int nap_of(int thread, int before)
{
    for (int i = before - 1; i >= 0; i--) {
        const struct row *row = &record.rows[i];
        if (row->thread == thread && waits_for_another(row))
            return NO_ROW;
        if (row->thread == thread && row->op == OP_NAP)
            return i;
    }
    return NO_ROW;
}

/* Somebody who could have gone on all the while, but had not come to it. */
static int slow_one(int thread)
{
    for (int i = 0; i < il.n; i++) {
        enum wish_kind kind = il.threads[i].wish.kind;
        if (i != thread && il.threads[i].life == LIFE_RUNS && (kind == WISH_GO || kind == WISH_LOCK) &&
            (i > 0 || thread == 0))
            return i;
    }
    return -1;
}

static void say_nap(struct story *story, int nap, int other, const void *other_pc, const void *then)
{
    story_row(story, nap);
    story_thread(story, other);
    story_say(story,
              "%s sleeps at %s and then goes on at %s, as if %s had come past %s by then. Nothing makes the one happen "
              "before the other; the sleep only makes it likely.",
              fact_who(record.rows[nap].thread), fact_line(record.rows[nap].pc), fact_line(then), fact_who(other),
              fact_line(other_pc));
    story_advise(story,
                 "Wait for the thing itself: a join, a condition variable, a semaphore. No sleep is long enough.");
}

bool story_sleep_orders(struct story *story)
{
    int earlier, later, thread = il.finding.thread;
    if (race_rows(&earlier, &later)) {
        int one = nap_of(record.rows[earlier].thread, earlier), two = nap_of(record.rows[later].thread, later);
        int nap = two != NO_ROW ? two : one;
        int mine = two != NO_ROW ? later : earlier, other = two != NO_ROW ? earlier : later;
        if (nap != NO_ROW)
            say_nap(story, nap, record.rows[other].thread, record.rows[other].pc, record.rows[mine].pc);
        return nap != NO_ROW;
    }
    if (il.finding.kind != FIND_ASSERTION && il.finding.kind != FIND_EXIT && il.finding.kind != FIND_CRASH)
        return false;
    int nap = nap_of(thread, (int)record.n), other = slow_one(thread);
    if (nap == NO_ROW || other < 0 || fact_next_of(nap, other) != NO_ROW)
        return false;
    const struct thread *slow = &il.threads[other];
    say_nap(story, nap, other, slow->wish_pc ? slow->wish_pc : slow->pc, il.finding.pc);
    return true;
}

/* ---- values that were read too early ----------------------------------------------------------------------------- */

static bool spoils_values(void)
{
    switch (il.finding.kind) {
    case FIND_ASSERTION:
    case FIND_EXIT:
    case FIND_CRASH:
    case FIND_HEAP:
    case FIND_LEAK:
    case FIND_MISUSE:
        return true;
    default:
        return false;
    }
}

/* Does the line of this write read the variable again (`n++`, `n += 1`, `n = n + 1`)? Compilers need not say. */
static bool line_reads_too(const struct row *row)
{
    struct place place;
    char name[96];
    if (row->op == OP_SET)
        return false;
    if (!lines_place(row->pc, &place))
        return true;
    snprintf(name, sizeof name, "%s", fact_object(row->object, row->pc));
    size_t length = strcspn(name + (name[0] == '`'), "`");
    memmove(name, name + (name[0] == '`'), length);
    name[length] = '\0';
    const char *equals = strchr(place.text, '=');
    return strstr(place.text, "++") || strstr(place.text, "--") || !equals ||
           (equals > place.text && strchr("+-*/|&^%", equals[-1])) || strstr(equals, name);
}

/* What `thread` last read of the memory of row `write` before it, and who changed it in between. */
struct stale {
    int read, change, write;
};

static bool reads_between(int after, int before, const struct row *write, bool tests_only)
{
    for (int i = after + 1; i < before; i++) {
        const struct row *row = &record.rows[i];
        bool reads = row->op == OP_READ || row->op == OP_LOOK || row->op == OP_CHANGE;
        if (row->thread == write->thread && row->object == write->object && reads && (!tests_only || fact_is_test(row)))
            return true;
    }
    return false;
}

static bool stale_at(int i, bool tested, struct stale *stale)
{
    const struct row *write = &record.rows[i];
    stale->write = i;
    if (!fact_is_access(write) || !fact_writes(write) || write->op == OP_CHANGE)
        return false;
    stale->change = fact_changed_between(NO_ROW, i, write, write->thread);
    if (stale->change == NO_ROW || reads_between(stale->change, i, write, tested))
        return false;
    for (stale->read = stale->change - 1; stale->read >= 0; stale->read--) {
        const struct row *read = &record.rows[stale->read];
        const void *there, *here;
        if (read->thread != write->thread || read->object != write->object || read->size != write->size)
            continue;
        bool fits = tested ? fact_is_test(read) : !fact_writes(read);
        return fits && fact_common(read, write, &there, &here) && read->after != record.rows[stale->change].after;
    }
    return false;
}

/* Where a check fails, does the one that checks look at this memory afterwards? */
static bool matters(int write)
{
    if (il.finding.kind != FIND_ASSERTION && il.finding.kind != FIND_EXIT)
        return true;
    for (int i = write + 1; i < (int)record.n; i++) {
        const struct row *row = &record.rows[i];
        if (row->thread == il.finding.thread && row->object == record.rows[write].object && !fact_writes(row))
            return true;
    }
    return false;
}

static bool find_stale(bool tested, struct stale *stale)
{
    for (int i = (int)record.n - 1; spoils_values() && !record.lost && i >= 0; i--)
        if (stale_at(i, tested, stale) && matters(i) && (tested || !line_reads_too(&record.rows[i])))
            return true;
    return false;
}

static void say_read_and_change(struct story *story, const struct stale *stale, const char *verb)
{
    const struct row *read = &record.rows[stale->read], *change = &record.rows[stale->change];
    story_row(story, stale->read);
    story_row(story, stale->change);
    story_row(story, stale->write);
    story_say(story, "%s %s %s at %s: %s. Then %s made it %s (%s). ", fact_who(read->thread), verb,
              fact_object(read->object, read->pc), fact_line(read->pc), fact_value(read, read->after),
              fact_who(change->thread), fact_value(change, change->after), fact_line(change->pc));
}

bool story_lost_update(struct story *story)
{
    struct stale stale;
    if (!find_stale(false, &stale))
        return false;
    const struct row *read = &record.rows[stale.read], *write = &record.rows[stale.write];
    say_read_and_change(story, &stale, "read");
    story_say(story, "%s did not look again and wrote %s (%s): what %s had done is lost.", il_name(write->thread),
              fact_value(write, write->after), fact_line(write->pc), il_name(record.rows[stale.change].thread));
    if (read->op == OP_LOOK)
        story_advise(story,
                     "A load and a store are two operations: use one that does both (atomic_fetch_add, or a loop "
                     "of compare-and-exchange).");
    else
        story_advise(story, "Reading and writing what depends on it must be one critical section: do not unlock "
                            "in between.");
    return true;
}

bool story_check_then_act(struct story *story)
{
    struct stale stale;
    if (!find_stale(true, &stale))
        return false;
    const struct row *write = &record.rows[stale.write];
    const void *there, *here;
    fact_common(&record.rows[stale.read], write, &there, &here);
    say_read_and_change(story, &stale, "tested");
    story_say(story, "%s acted on what it had seen (%s), though it was no longer so.", il_name(write->thread),
              fact_line(here));
    story_advise(story, "The test and what is done because of it must be one critical section (tested at %s).",
                 fact_line(there));
    return true;
}
