#include "interleave_words.h"

#include "memory.h"
#include "places.h"

#include <ctype.h>
#include <string.h>

/* What each kind of finding means, where the explorer saw no pattern that it knows a better sentence for. */
static const struct {
    const char *kind;
    const char *why;
} meanings[] = {
    {"race", "Nothing orders the two: no lock that both hold, no join between them. So each may come first, or in the "
             "middle of the other."},
    {"deadlock", "Each waits for what only another of them could do, so none of them ever will."},
    {"lost-wakeup",
     "Nobody is left to wake them: the signal was never sent, or came before they slept, or woke somebody "
     "who had no use for it; or whoever would send it waits as well."},
    {"crash", "Memory was used that is not there, in this order of the threads."},
    {"exit-status", "A function of a library returns to its caller; it does not end the program."},
    {"misuse", "The threads library does not allow this: what happens then is not defined."},
    {"leak", "What was allocated must be freed, in whatever order the threads run."},
    {"heap", "Memory may be used only between its allocation and its end, and within its bounds."},
    {"stack-overflow", "A thread's stack is small: a function that calls itself without end, or a large array, fills "
                       "it."},
    {"livelock", "Every thread has its turn again and again, and none gets on: what one does, another undoes, or each "
                 "waits by turning round for what nobody changes."},
    {"endless", "A loop must end, or wait for another thread by a call that sleeps."},
};

static const char *meaning_of(void *context, const struct workshop *shop, const char *kind)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].kind, kind) == 0)
            return meanings[i].why;
    return memory_format(context, "%s.h promises it, in whatever order the threads run.", shop->exercise->name);
}

/* "After 9 interleavings: everyone waits …." */
static char *what_of(void *context, const struct explored *explored)
{
    const char *what = explored->what;
    size_t length = strlen(what);
    char *text = explored->order->runs > 0
                     ? memory_format(context, "After %s interleaving%s: ", proof_number(context, explored->order->runs),
                                     explored->order->runs == 1 ? "" : "s")
                     : memory_text(context, "");
    bool capital = *text == '\0' && islower((unsigned char)*what);

    text = memory_append(context, text, "%c%s", capital ? toupper((unsigned char)*what) : *what, what + 1);
    return length > 0 && strchr(".!?", what[length - 1]) != NULL ? text : memory_append(context, text, ".");
}

/* ---- where everyone stands --------------------------------------------------------------------------------------- */

/* The last line of a thread in the trace that is the student's, or NULL. */
static const struct step *last_step(const struct workshop *shop, const struct interleaving *order, int thread)
{
    for (size_t i = order->step_count; i-- > 0;)
        if (order->steps[i].thread == thread && places_owner(shop, order->steps[i].file) == OWNER_STUDENT)
            return &order->steps[i];
    return NULL;
}

/* "waits for a mutex that thread 3 holds; holds c->mutex" */
static const char *standing(void *context, const struct explored_thread *thread)
{
    char *text = memory_text(context, thread->state == NULL ? "" : thread->state);

    for (const char **lock = thread->holds; *lock != NULL; lock++)
        if (**lock != '\0')
            text = memory_append(context, text, "%s%s", lock == thread->holds ? "; holds " : ", ", *lock);
    return text;
}

static bool is_standstill(const char *kind)
{
    return strcmp(kind, "deadlock") == 0 || strcmp(kind, "lost-wakeup") == 0 || strcmp(kind, "livelock") == 0;
}

static const char *name_of(void *context, int thread)
{
    return memory_format(context, "thread %d", thread);
}

static void standings_add(void *context, const struct workshop *shop, const struct interleaving *order,
                          struct finding *finding)
{
    for (size_t i = 0; i < order->thread_count; i++) {
        const struct explored_thread *thread = &order->threads[i];

        /* the scenario's own thread waits for the others to end: no news */
        if (!thread->ended && places_owner(shop, thread->file) == OWNER_STUDENT)
            (void)places_add(context, shop, finding, thread->file, thread->line, name_of(context, thread->number),
                             standing(context, thread));
    }
}

static bool same_object(const struct step *one, const struct step *other)
{
    return one->number > 0 && one->number == other->number;
}

/* The other side of the race that the last step is: the other thread's last access to the same. */
static const struct step *other_side(const struct interleaving *order, int other)
{
    const struct step *last = order->step_count == 0 ? NULL : &order->steps[order->step_count - 1];

    for (size_t i = order->step_count; i-- > 0 && last != NULL;)
        if (order->steps[i].thread == other && same_object(&order->steps[i], last))
            return &order->steps[i];
    return NULL;
}

static void race_places_add(void *context, const struct workshop *shop, const struct explored *explored,
                            struct finding *finding)
{
    const struct step *other = other_side(explored->order, explored->other);

    if (explored->file != NULL)
        (void)places_add(context, shop, finding, explored->file, explored->line, name_of(context, explored->thread),
                         NULL);
    if (other != NULL && other->file != NULL)
        (void)places_add(context, shop, finding, other->file, other->line, name_of(context, explored->other), NULL);
}

/* One place: where it showed, if that is the student's or the scenario's own promise; else what the thread did last. */
static void place_add(void *context, const struct workshop *shop, const struct explored *explored,
                      struct finding *finding)
{
    bool promise = strcmp(explored->order->kind, "assertion") == 0;
    const struct step *last = last_step(shop, explored->order, explored->thread);

    if (places_owner(shop, explored->file) == OWNER_SCENARIO && !promise && last != NULL)
        (void)places_add(context, shop, finding, last->file, last->line, name_of(context, explored->thread), NULL);
    else if (explored->file != NULL)
        (void)places_add(context, shop, finding, explored->file, explored->line, name_of(context, explored->thread),
                         promise && places_owner(shop, explored->file) == OWNER_SCENARIO ? "the scenario expects this"
                                                                                         : NULL);
}

static void places_of(void *context, const struct workshop *shop, const struct explored *explored,
                      struct finding *finding)
{
    const char *kind = explored->order->kind;

    if (is_standstill(kind))
        standings_add(context, shop, explored->order, finding);
    else if (strcmp(kind, "race") == 0)
        race_places_add(context, shop, explored, finding);
    if (finding->place_count == 0)
        place_add(context, shop, explored, finding);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

struct finding *interleave_words_add(void *context, const struct workshop *shop, const struct explored *explored,
                                     const struct proof *reference, struct stage_result *result)
{
    const struct interleaving *order = explored->order;
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, what_of(context, explored));

    places_of(context, shop, explored, finding);
    finding->why = explored->why != NULL ? explored->why : meaning_of(context, shop, order->kind);
    finding->detail = memory_format(context, "Scenario %s: %s.", order->scenario, order->story);
    if (reference != NULL)
        finding->detail = memory_format(context, "%s\nProved for the reference: %s.", finding->detail, reference->text);
    finding->order = explored->order;
    return finding;
}

bool interleave_words_student_in(const struct workshop *shop, const struct explored *explored)
{
    if (places_owner(shop, explored->file) == OWNER_STUDENT)
        return true;
    for (size_t i = 0; i < explored->order->step_count; i++)
        if (places_owner(shop, explored->order->steps[i].file) == OWNER_STUDENT)
            return true;
    return false;
}
