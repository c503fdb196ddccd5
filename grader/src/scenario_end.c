#include "scenario_end.h"

#include "hang.h"
#include "memory.h"
#include "places.h"

#include <signal.h>
#include <string.h>

enum { SHOWN_LINES = 12, SHOWN_BYTES = 2000 };

const char *scenario_end_seen(void *context, const struct scenario_state *scenario)
{
    if (scenario == NULL)
        return NULL;
    return memory_format(context, "Seen in the scenario %s: %s.", scenario->name, scenario->story);
}

/* valgrind's own lines, "==1234== …", are no words of the program's. */
static bool is_valgrinds(const char *line)
{
    return strncmp(line, "==", 2) == 0 && strncmp(line + 2 + strspn(line + 2, "0123456789"), "==", 2) == 0;
}

/* What the program printed, its last lines. */
static const char *printed(void *context, const struct scenario_run *run)
{
    const char *text = run->child.err_size > 0 ? run->child.err : run->child.out;
    size_t size = text == NULL ? 0 : strlen(text);
    const char *begin = text + (size > SHOWN_BYTES ? size - SHOWN_BYTES : 0);
    char *kept = NULL;
    int lines = 0;

    if (size == 0)
        return NULL;
    for (const char *at = text + size - 1; at > begin; at--)
        if (at[-1] == '\n' && ++lines == SHOWN_LINES)
            begin = at;
    for (const char *line = begin; *line != '\0'; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL))
        if (!is_valgrinds(line))
            kept = memory_append(context, kept, "%.*s\n", (int)strcspn(line, "\n"), line);
    return kept;
}

/* "Seen in …" and what was printed. */
static const char *detail(void *context, const struct scenario_run *run)
{
    const char *seen = scenario_end_seen(context, run->current);
    const char *text = printed(context, run);

    if (seen == NULL || text == NULL)
        return seen != NULL ? seen : text;
    return memory_format(context, "%s\nIt printed:\n%s", seen, text);
}

static void ensure_tell(void *context, const struct workshop *shop, const struct scenario_run *run,
                        struct stage_result *result)
{
    const char *message = run->failed_message;
    char *what = memory_text(context, message[0] == '\0' ? "a promise was not kept" : message);
    size_t length = strlen(what);

    /* a word is capitalised, a name of C is not */
    if (what[0] >= 'a' && what[0] <= 'z' && what[strspn(what, "abcdefghijklmnopqrstuvwxyz")] == ' ')
        what[0] = (char)(what[0] - 'a' + 'A');
    if (length > 0 && strchr(".!?", what[length - 1]) == NULL)
        what = memory_append(context, what, ".");
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, what);
    (void)places_add(context, shop, finding, run->failed_file, run->failed_line, NULL, "the scenario expects this");
    finding->why =
        memory_format(context, "%s.h promises it, also when several threads are at work.", shop->exercise->name);
    finding->detail = scenario_end_seen(context, run->current);
}

static void hang_tell(void *context, const struct workshop *shop, const struct scenario_run *run,
                      struct stage_result *result)
{
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE,
                                          "The program hangs: every thread waits, and nobody is left to wake one.");

    hang_places(context, shop, &run->hang, finding);
    finding->why = hang_diagnosis(context, &run->hang);
    if (finding->why == NULL)
        finding->why =
            "Each waits for something that only another could do: give back a lock, signal a condition, end.";
    finding->detail = scenario_end_seen(context, run->current);
}

static const char *end_what(void *context, const struct scenario_run *run)
{
    const struct child_result *child = &run->child;

    if (run->too_large)
        return "The program was stopped: it used more and more memory.";
    switch (child->end) {
    case CHILD_SIGNALLED:
        return memory_format(context, "The program crashed: it was %s.", child_end_text(context, child));
    case CHILD_OVER_CPU:
        return memory_format(context, "The program did not end: after %.0f s of processor time it was still busy.",
                             child->cpu_s);
    case CHILD_TIMED_OUT:
        return memory_format(context, "The program did not end: it was stopped after %.0f s, %.1f s of processor time.",
                             child->wall_s, child->cpu_s);
    case CHILD_FLOODED:
        return "The program printed without end, and was stopped.";
    case CHILD_SWARMED:
        return "The program started more and more processes or threads, and was stopped.";
    case CHILD_EXITED:
    case CHILD_STOPPED_BY_WATCH:
        break;
    }
    return "The program ended before its scenarios did.";
}

static const char *signal_why(int number)
{
    if (number == SIGABRT)
        return "An assert() did not hold, or the C library found its own data destroyed.";
    if (number == SIGFPE)
        return "An integer was divided by zero.";
    if (number == SIGKILL)
        return "Something killed it: itself, or a system that has no memory left.";
    return "It used memory that it does not have: a null pointer, or an address of something that is gone.";
}

static const char *end_why(const struct scenario_run *run)
{
    if (run->too_large)
        return "Something is allocated again and again, and never freed.";
    switch (run->child.end) {
    case CHILD_SIGNALLED:
        return signal_why(run->child.status);
    case CHILD_OVER_CPU:
        return "A loop waits for something that never comes, and turns round meanwhile: wait on a condition variable "
               "instead, and look at who should wake it.";
    case CHILD_TIMED_OUT:
        return "Somebody waits for what nobody will do.";
    case CHILD_FLOODED:
        return "A loop that prints does not end.";
    case CHILD_SWARMED:
        return "Whatever is started must end, and be waited for.";
    case CHILD_EXITED:
    case CHILD_STOPPED_BY_WATCH:
        break;
    }
    return "Something called exit(), or left the scenario another way. A function of a library returns to its caller, "
           "with an "
           "error where there is one.";
}

void scenario_end_tell(void *context, const struct workshop *shop, const struct scenario_run *run,
                       struct stage_result *result)
{
    if (run->complete && run->child.status == 0)
        return;
    if (run->starved) {
        result->outcome = OUTCOME_INCONCLUSIVE;
        result->reason =
            memory_format(context, "the machine was too busy: in %.0f s the program got %.1f s of processor time",
                          run->child.wall_s, run->child.cpu_s);
        return;
    }
    result->outcome = OUTCOME_FAILED;
    if (run->failed_file != NULL) {
        ensure_tell(context, shop, run, result);
        return;
    }
    if (run->hung) {
        hang_tell(context, shop, run, result);
        return;
    }
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, end_what(context, run));
    finding->why = end_why(run);
    finding->detail = detail(context, run);
}

const char *scenario_end_text(void *context, const struct scenario_run *run)
{
    if (run->failed_file != NULL)
        return memory_format(context, "an ensure() did not hold: %s", run->failed_message);
    if (run->hung)
        return "it hangs";
    if (!run->complete || run->child.status != 0)
        return child_end_text(context, &run->child);
    return run->remain_count > 0 ? "it left something behind" : "nothing is wrong with it";
}
