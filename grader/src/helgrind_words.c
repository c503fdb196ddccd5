#include "helgrind_words.h"

#include "lock_scan.h"
#include "memory.h"
#include "memory_words.h"
#include "places.h"
#include "scenario_end.h"

#include <stdio.h>
#include <string.h>

struct words {
    const char *part; /* of helgrind's sentence */
    enum helgrind_weight weight;
    const char *what;
    const char *why;
    const char *notes[2]; /* of the first stack and the second */
};

static const char NEVER_AGAIN[] =
    "Nobody can take that lock again: whoever tries will wait for ever. Every way out of a function, error paths too, "
    "must give back what the function took.";
static const char MISSED_SIGNAL[] =
    "It matters only where what the waiter tests is changed without the lock too: then a "
    "waiter that has just tested and not yet slept misses the signal.";

static const struct words misc_words[] = {
    {"Exiting thread still holds",
     HELGRIND_MISTAKE,
     "A thread ends while it still holds a lock.",
     NEVER_AGAIN,
     {NULL, NULL}},
    {"destroy of a locked",
     HELGRIND_MISTAKE,
     "A lock is destroyed while somebody holds it.",
     "Who holds it will unlock something that is no longer there. Unlock first, and destroy when nobody uses it any "
     "more.",
     {"destroyed here", NULL}},
    {"destroy with invalid argument",
     HELGRIND_MISTAKE,
     "Something is destroyed that is no lock.",
     "It was never initialised, or it was destroyed before.",
     {"destroyed here", NULL}},
    {"Attempt to re-lock",
     HELGRIND_MISTAKE,
     "A thread locks a mutex again that it already holds.",
     "A plain mutex does not count: the thread waits for itself, for ever.",
     {"locked again here", "locked first here"}},
    /* POSIX allows it, and right programs do it on purpose; so it is said beside a mistake only (helgrind_look.c). */
    {"dubious: associated lock is not held",
     HELGRIND_NOTE,
     "A condition is signalled without its lock: allowed.",
     MISSED_SIGNAL,
     {"signalled here", NULL}},
    {"associated lock is not held by calling thread",
     HELGRIND_NOTE,
     "A condition is signalled without its lock: allowed.",
     MISSED_SIGNAL,
     {"signalled here", NULL}},
    {"wait called with un-held mutex",
     HELGRIND_MISTAKE,
     "A thread waits for a condition without holding the mutex.",
     "pthread_cond_wait gives the mutex back and sleeps in one step; who does not hold it has nothing to give back, "
     "and "
     "can miss the signal.",
     {"waits here", NULL}},
    {"wait called with mutex held by a different thread",
     HELGRIND_MISTAKE,
     "A thread waits for a condition with a mutex that another thread holds.",
     "pthread_cond_wait gives the mutex back, and only its owner may do that.",
     {"waits here", NULL}},
    {"associated with a different mutex",
     HELGRIND_MISTAKE,
     "Threads wait for one condition with different mutexes.",
     "All who wait for a condition at the same time must use the same mutex: it is what guards the thing they wait "
     "for.",
     {"waits here", NULL}},
    {"wait called with",
     HELGRIND_MISTAKE,
     "A thread waits for a condition with something that is no mutex.",
     "The second argument must be an initialised mutex that this thread holds.",
     {"waits here", NULL}},
    {"destruction of condition variable being waited upon",
     HELGRIND_MISTAKE,
     "A condition is destroyed while a thread still waits for it.",
     "The waiter sleeps in something that is no longer there. Wake it, and wait until it is gone.",
     {"destroyed here", NULL}},
    /* helgrind knows a condition from pthread_cond_init or its first use; one that was initialised statically and never
     * used is unknown to it, and may be destroyed all the same. */
    {"destruction of unknown cond var", HELGRIND_NOTHING, NULL, NULL, {NULL, NULL}},
    {"threads are waiting at the barrier",
     HELGRIND_MISTAKE,
     "A barrier is destroyed while threads wait at it.",
     "They sleep in something that is no longer there.",
     {"destroyed here", NULL}},
    {"barrier",
     HELGRIND_MISTAKE,
     "A barrier is used that was never initialised, or wrongly.",
     "pthread_barrier_init comes first, with a count of at least one.",
     {"used here", NULL}},
    {"", HELGRIND_MISTAKE, NULL, "The threads library does not allow this.", {"here", NULL}},
};

static const struct words kind_words[] = {
    {"UnlockUnlocked",
     HELGRIND_MISTAKE,
     "A lock is unlocked that nobody holds.",
     "Somewhere it was unlocked before, or never locked. The next lock and unlock no longer match, and two threads may "
     "be inside at once.",
     {"unlocked here", "first used here"}},
    {"UnlockForeign",
     HELGRIND_MISTAKE,
     "A thread unlocks a mutex that another thread holds.",
     "Only the thread that locked a mutex may unlock it. The owner still believes that it is alone.",
     {"unlocked here", "first used here"}},
    {"UnlockBogus",
     HELGRIND_MISTAKE,
     "Something is unlocked that is no lock.",
     "It was never initialised, or it is gone already.",
     {"unlocked here", NULL}},
};

bool helgrind_words_is_race(const struct valgrind_error *error)
{
    return strcmp(error->kind, "Race") == 0;
}

static const struct words *words_of(const struct valgrind_error *error)
{
    const struct words *words = misc_words;

    for (size_t i = 0; i < sizeof kind_words / sizeof kind_words[0]; i++)
        if (strcmp(error->kind, kind_words[i].part) == 0)
            return &kind_words[i];
    while (strstr(error->what, words->part) == NULL)
        words++;
    return words;
}

/* ---- weight ------------------------------------------------------------------------------------------------------ */

static const struct frame *frame_of(const struct workshop *shop, const struct valgrind_error *error, size_t trace)
{
    return trace < error->trace_count ? places_frame(shop, &error->traces[trace]) : NULL;
}

static bool same_frame(const struct frame *one, const struct frame *other)
{
    if (one == NULL || other == NULL)
        return one == other;
    return one->line == other->line && strcmp(one->file, other->file) == 0;
}

/* The error number that the call returned, by name, from "with error code 35 (EDEADLK: …)". */
static bool error_code_is(const struct valgrind_error *error, const char *name)
{
    for (size_t i = 0; i < error->note_count; i++)
        if (strstr(error->notes[i], name) != NULL)
            return true;
    return false;
}

/* A call that returned EPERM or EDEADLK looked at who holds the lock, which only mutexes of the error-checking and the
 * recursive type do (and pthread_join): that is defined behaviour, and the caller can act on it. */
static bool is_checked_call(const struct valgrind_error *error)
{
    return strcmp(error->kind, "PthAPIerror") == 0 &&
           (error_code_is(error, "(EPERM") || error_code_is(error, "(EDEADLK"));
}

/* helgrind reports the misuse first and then, of the same call, the error that it returned. */
static bool is_answered(const struct workshop *shop, const struct valgrind_report *report, size_t index)
{
    const struct valgrind_error *error = &report->errors[index];

    for (size_t i = index + 1; i < report->error_count && i <= index + 2; i++)
        if (is_checked_call(&report->errors[i]) && report->errors[i].thread == error->thread &&
            same_frame(frame_of(shop, &report->errors[i], 0), frame_of(shop, error, 0)))
            return true;
    return false;
}

/* Errors that a caller is expected to meet and to handle. */
static enum helgrind_weight api_weight(const struct valgrind_error *error)
{
    static const char *const expected[] = {"(EPERM", "(EDEADLK", "(ETIMEDOUT", "(EAGAIN", "(ENOMEM"};

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (error_code_is(error, expected[i]))
            return HELGRIND_NOTHING;
    if (error_code_is(error, "(EBUSY") && strstr(error->what, "try") != NULL)
        return HELGRIND_NOTHING;
    return HELGRIND_MISTAKE;
}

/* The lock call on the line of this stack of `error`; false where there is none to be seen. */
static bool lock_call_of(void *context, const struct workshop *shop, const struct valgrind_error *error, size_t trace,
                         const char **call, const char **expression)
{
    const struct frame *frame = frame_of(shop, error, trace);
    const char *text = frame == NULL ? NULL : places_text(context, shop, frame->file);

    return text != NULL && lock_call_at(context, text, frame->line, call, expression);
}

/* What the text says is held where this stack of `error` takes its lock. */
static struct lock_scan held_before(void *context, const struct workshop *shop, const struct valgrind_error *error,
                                    size_t trace)
{
    const struct frame *frame = frame_of(shop, error, trace);
    const char *text = frame == NULL ? NULL : places_text(context, shop, frame->file);

    struct lock_scan nothing = {.certain = false};

    return text == NULL ? nothing : lock_scan_at(context, text, frame->line, false);
}

/* One more lock is held around both orders, of the same name in both: then no two threads are between the two locks at
 * once, and the order does not matter. helgrind does not look for that. Only a name without `->` is the same lock
 * wherever it stands. */
static bool is_guarded(void *context, const struct workshop *shop, const struct valgrind_error *error)
{
    struct lock_scan one = held_before(context, shop, error, 0);
    struct lock_scan other = held_before(context, shop, error, 2);

    /* the last of each is the first lock of the pair; the guard was taken before it */
    return one.count >= 2 && other.count >= 2 && one.certain && other.certain &&
           strcmp(one.held[0].expression, other.held[0].expression) == 0 &&
           strpbrk(one.held[0].expression, ">[*(") == NULL;
}

/* Two orders are a mistake only where each second lock is waited for without end: one that is only tried
 * (pthread_mutex_trylock), or waited for with a time limit, cannot close a circle. helgrind counts these too. */
static enum helgrind_weight order_weight(void *context, const struct workshop *shop, const struct valgrind_error *error)
{
    static const size_t second_locks[] = {0, 2};

    for (size_t i = 0; i < 2; i++) {
        const char *call;
        const char *expression;

        if (lock_call_of(context, shop, error, second_locks[i], &call, &expression) &&
            (strstr(call, "try") != NULL || strstr(call, "timed") != NULL))
            return HELGRIND_NOTHING;
    }
    return is_guarded(context, shop, error) ? HELGRIND_NOTHING : HELGRIND_MISTAKE;
}

static bool calls_once(const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        if (trace->frames[i].function != NULL && strstr(trace->frames[i].function, "pthread_once") != NULL)
            return true;
    return false;
}

/* What was set up inside pthread_once is seen by everyone whose own pthread_once has returned; helgrind does not know
 * that. Where one side is inside and the other's file calls pthread_once too, nothing can be concluded. */
static bool is_ordered_by_once(void *context, const struct workshop *shop, const struct valgrind_error *error)
{
    for (size_t i = 0; i < 2 && error->trace_count >= 2; i++) {
        if (!calls_once(&error->traces[i]))
            continue;
        const struct frame *other = frame_of(shop, error, 1 - i);
        const char *text = other == NULL ? NULL : places_text(context, shop, other->file);

        if (text != NULL && strstr(text, "pthread_once") != NULL)
            return true;
    }
    return false;
}

/* The innermost frame that is not one of valgrind's replacements for malloc, memcpy, strlen and the like. */
static const struct frame *innermost(const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        if (trace->frames[i].module == NULL || strstr(trace->frames[i].module, "vgpreload") == NULL)
            return &trace->frames[i];
    return NULL;
}

static bool in_library(const struct frame *frame)
{
    return frame == NULL || (frame->module != NULL && strstr(trace_base_name(frame->module), ".so") != NULL);
}

/* A block is the program's where its own code asked for it, if only through strdup. */
static bool is_programs_block(const struct trace *allocated)
{
    const struct frame *frame = innermost(allocated);

    if (frame != NULL && frame->function != NULL && strstr(frame->function, "strdup") != NULL &&
        frame + 1 < allocated->frames + allocated->count)
        frame++;
    return !in_library(frame);
}

/* Whose memory it is, from helgrind's sentence on the address. The program lies below all libraries: valgrind puts
 * those at 0x4000000 and above. */
static bool is_programs_memory(const struct workshop *shop, const struct valgrind_error *error)
{
    enum { LIBRARIES_BEGIN = 0x4000000 };
    unsigned long long address;
    char file[128];

    for (size_t i = 0; i < error->note_count; i++) {
        if (strstr(error->notes[i], "inside data symbol") != NULL || strstr(error->notes[i], "BSS segment") != NULL)
            return sscanf(error->notes[i], "Address 0x%llx", &address) == 1 && address < LIBRARIES_BEGIN;
        const char *frame = strstr(error->notes[i], "created by ");
        if (frame != NULL && sscanf(frame, "created by %*s (%127[^:]", file) == 1)
            return places_owner(shop, file) != OWNER_NOBODY;
    }
    for (size_t i = 0; i < error->trace_count; i++)
        if (strstr(error->traces[i].title, "inside a block of size") != NULL)
            return is_programs_block(&error->traces[i]);
    return false;
}

/* The C library keeps its own data (streams, time zones, lists of stacks) in order by means that helgrind does not see;
 * what it does to the program's data is the program's business. So an access from inside the library counts where the
 * memory is the program's. */
static enum helgrind_weight race_weight(void *context, const struct workshop *shop, const struct valgrind_error *error)
{
    size_t sides = error->trace_count < 2 || strncmp(error->traces[1].title, "This conflicts", 14) != 0 ? 1 : 2;
    bool library = false;

    for (size_t i = 0; i < sides && i < error->trace_count; i++)
        library = library || in_library(innermost(&error->traces[i]));
    if (library && !is_programs_memory(shop, error))
        return HELGRIND_NOTHING;
    return is_ordered_by_once(context, shop, error) ? HELGRIND_NOTHING : HELGRIND_MISTAKE;
}

/* The innermost of our lines is the student's: not one of what his exercise is built on, nor of the harness. */
static bool is_students_call(const struct workshop *shop, const struct valgrind_error *error)
{
    const struct trace *trace = error->trace_count > 0 ? &error->traces[0] : NULL;

    for (size_t i = 0; trace != NULL && i < trace->count; i++) {
        enum owner owner = trace->frames[i].line > 0 ? places_owner(shop, trace->frames[i].file) : OWNER_NOBODY;

        if (owner != OWNER_NOBODY)
            return owner == OWNER_STUDENT;
    }
    return false;
}

/* A signal without the lock is worth a word only to who can move it. */
static enum helgrind_weight misuse_weight(const struct workshop *shop, const struct valgrind_error *error)
{
    enum helgrind_weight weight = words_of(error)->weight;

    return weight == HELGRIND_NOTE && !is_students_call(shop, error) ? HELGRIND_NOTHING : weight;
}

enum helgrind_weight helgrind_words_weight(void *context, const struct workshop *shop,
                                           const struct valgrind_report *report, size_t index)
{
    const struct valgrind_error *error = &report->errors[index];

    if (helgrind_words_is_race(error))
        return race_weight(context, shop, error);
    if (strcmp(error->kind, "PthAPIerror") == 0)
        return api_weight(error);
    if (strcmp(error->kind, "LockOrder") == 0)
        return order_weight(context, shop, error);
    return is_answered(shop, report, index) ? HELGRIND_NOTHING : misuse_weight(shop, error);
}

bool helgrind_words_student_in(const struct workshop *shop, const struct valgrind_error *error)
{
    size_t shown = helgrind_words_is_race(error) ? 2 : error->trace_count;

    for (size_t i = 0; i < shown && i < error->trace_count; i++)
        if (places_student_in(shop, &error->traces[i]))
            return true;
    return false;
}

bool helgrind_words_same(const struct workshop *shop, const struct valgrind_error *one,
                         const struct valgrind_error *other)
{
    bool api = strcmp(one->kind, "PthAPIerror") == 0 || strcmp(other->kind, "PthAPIerror") == 0;

    /* a misuse and the error that the same call returned are one mistake */
    if (!api && (strcmp(one->kind, other->kind) != 0 || words_of(one) != words_of(other)))
        return false;
    if (strstr(one->what, "Exiting thread") != NULL)
        return true;
    return same_frame(frame_of(shop, one, 0), frame_of(shop, other, 0));
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

static const char *lock_note(void *context, const struct workshop *shop, const struct valgrind_error *error,
                             size_t trace, const char *word)
{
    const char *call;
    const char *expression;

    if (!lock_call_of(context, shop, error, trace, &call, &expression))
        return memory_format(context, "%s one", word);
    return memory_format(context, "%s %s", word, expression);
}

static void order_add(void *context, const struct workshop *shop, const struct valgrind_error *error,
                      struct finding *finding)
{
    struct lock_scan held = held_before(context, shop, error, 0);
    const struct frame *frame = frame_of(shop, error, 0);

    if (error->trace_count >= 3) {
        (void)places_add_trace(context, shop, finding, &error->traces[1], "one order",
                               lock_note(context, shop, error, 1, "first"));
        (void)places_add_trace(context, shop, finding, &error->traces[2], "one order",
                               lock_note(context, shop, error, 2, "then"));
    }
    if (held.certain && held.count > 0 && frame != NULL) {
        const struct held_lock *first = &held.held[held.count - 1];

        (void)places_add(context, shop, finding, frame->file, first->line, "the other",
                         memory_format(context, "first %s", first->expression));
    }
    (void)places_add_trace(context, shop, finding, &error->traces[0], "the other",
                           lock_note(context, shop, error, 0, "then"));
    finding->why =
        "When two threads do this at the same time, each can come to hold the lock that the other wants: then both "
        "wait "
        "for ever. Choose one order for all locks (by address, by number) and take them in that order everywhere.";
}

/* The lines where the student's functions return with a lock that they took: where a lock that a thread kept was, most
 * likely, forgotten. Only what the text says for certain. */
static void forgotten_add(void *context, const struct workshop *shop, struct finding *finding)
{
    enum { SHOWN = 3 };
    const char *file = trace_base_name(shop->source);
    const char *text = places_text(context, shop, file);
    int line = 1;

    for (const char *at = text; at != NULL && *at != '\0' && finding->place_count < SHOWN; line++) {
        size_t length = strcspn(at, "\n");

        if (strncmp(at + strspn(at, " \t"), "return", 6) == 0) {
            struct lock_scan held = lock_scan_at(context, text, line, false);

            if (held.certain && held.count > 0)
                (void)places_add(context, shop, finding, file, line, NULL,
                                 memory_format(context, "returns with %s locked (at line %d)", held.held[0].expression,
                                               held.held[0].line));
        }
        at += length + (at[length] == '\n');
    }
}

/* "pthread_mutex_destroy() fails: EBUSY: …" from the sentence and its note. */
static void api_add(void *context, const struct workshop *shop, const struct valgrind_error *error,
                    struct finding *finding)
{
    char call[64] = "A call";
    char reason[160] = "an error";
    const char *at = strstr(error->what, "call to ");

    if (at != NULL)
        (void)sscanf(at, "call to %63s", call);
    for (size_t i = 0; i < error->note_count; i++)
        if ((at = strchr(error->notes[i], '(')) != NULL)
            (void)sscanf(at, "(%159[^)])", reason);
    finding->what = memory_format(context, "%s() fails: %s.", call, reason);
    finding->why =
        "It was given something that it cannot work with: not initialised, already destroyed, or still in use.";
    if (error->trace_count > 0)
        (void)places_add_trace(context, shop, finding, &error->traces[0], NULL, "called here");
}

/* helgrind's "first observed" is where a lock was made, or where it was used first. */
static const char *misuse_note(void *context, const struct workshop *shop, const struct valgrind_error *error,
                               size_t trace, const char *note)
{
    const char *call;
    const char *expression;

    if (strstr(error->traces[trace].title, "first observed") != NULL &&
        lock_call_of(context, shop, error, trace, &call, &expression) && strstr(call, "_init") != NULL)
        return "made here";
    return note;
}

static void misuse_add(void *context, const struct workshop *shop, const struct valgrind_error *error,
                       struct finding *finding)
{
    const struct words *words = words_of(error);

    finding->what = words->what != NULL ? words->what : memory_format(context, "helgrind says: %s.", error->what);
    finding->why = words->why;
    for (size_t i = 0; i < 2 && i < error->trace_count; i++)
        if (words->notes[i] != NULL)
            (void)places_add_trace(context, shop, finding, &error->traces[i], NULL,
                                   misuse_note(context, shop, error, i, words->notes[i]));
    if (words->why == NEVER_AGAIN)
        forgotten_add(context, shop, finding);
}

static const struct scenario_state *scenario_of(const struct scenario_run *run, const struct valgrind_report *report,
                                                const struct valgrind_error *error)
{
    const struct valgrind_thread *thread = valgrind_thread_find(report, error->thread);
    const struct scenario_state *scenario = thread == NULL ? NULL : memory_words_scenario(run, &thread->created);

    for (size_t i = 0; i < error->trace_count && scenario == NULL; i++)
        scenario = memory_words_scenario(run, &error->traces[i]);
    return scenario;
}

void helgrind_words_add(void *context, const struct workshop *shop, const struct scenario_run *run,
                        const struct valgrind_report *report, const struct valgrind_error *error,
                        enum helgrind_weight weight, struct stage_result *result)
{
    struct finding *finding =
        finding_add(context, result, weight == HELGRIND_NOTE ? SEVERITY_NOTE : SEVERITY_FAILURE, "");

    if (strcmp(error->kind, "LockOrder") == 0) {
        finding->what = "Two locks are taken in one order here, and in the other order there.";
        order_add(context, shop, error, finding);
    } else if (strcmp(error->kind, "PthAPIerror") == 0) {
        api_add(context, shop, error, finding);
    } else {
        misuse_add(context, shop, error, finding);
    }
    finding->detail = scenario_end_seen(context, scenario_of(run, report, error));
}
