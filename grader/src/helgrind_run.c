#include "helgrind_run.h"

#include "files.h"
#include "memory.h"

#include <string.h>
#include <unistd.h>

enum { TEXT_LIMIT = 8 << 20, ROOM_MB = 768, WORDS_MAX = 20 };

/* Most scenarios take a third of a second here, nearly all of it helgrind's own start. */
static const double CPU_LIMIT_S = 20;
static const double WALL_LIMIT_S = 90;

/* No .valgrindrc counts, and a forked child says nothing. The scheduler is fair, so that a thread which polls cannot
 * keep the others from running. There is no gdb server: nobody would talk to it. */
const char **helgrind_command(void *context, const char *root, const char *xml, const char *text)
{
    const char **words = memory_zeroed(context, WORDS_MAX, sizeof *words);
    size_t count = 0;

    words[count++] = "valgrind";
    words[count++] = "--command-line-only=yes";
    words[count++] = "--tool=helgrind";
    words[count++] = "-q";
    words[count++] = "--history-level=full";
    words[count++] = "--fair-sched=yes";
    words[count++] = "--vgdb=no";
    words[count++] = "--child-silent-after-fork=yes";
    words[count++] = "--num-callers=24";
    words[count++] = "--read-inline-info=no";     /* a quarter of the start, and nothing that it judges is inlined */
    words[count++] = "--default-suppressions=no"; /* see helgrind.supp */
    words[count++] = memory_format(context, "--suppressions=%s/grader/harness/helgrind.supp", root);
    if (xml != NULL) {
        words[count++] = "--xml=yes";
        words[count++] = memory_format(context, "--xml-file=%s", xml);
    } else {
        words[count++] = memory_format(context, "--log-file=%s", text);
    }
    return words;
}

static int run_with(void *context, struct workshop *shop, const char *program, const char *const *command,
                    struct scenario_run *run, struct fault *fault)
{
    const struct scenario_spec spec = {
        .program = program,
        .prefix = command,
        .memory_mb = shop->exercise->memory_mb + ROOM_MB,
        .resident_mb = shop->exercise->memory_mb + ROOM_MB,
        .cpu_limit_s = CPU_LIMIT_S,
        .wall_limit_s = WALL_LIMIT_S,
    };

    return scenario_run(context, shop, &spec, run, fault);
}

int helgrind_run(void *context, struct workshop *shop, const char *program, struct helgrind_sight *sight,
                 struct fault *fault)
{
    const char *xml = memory_format(context, "%s/helgrind.xml", shop->dir);
    const char **command = helgrind_command(context, shop->course->root, xml, NULL);

    *sight = (struct helgrind_sight){0};
    if (run_with(context, shop, program, command, &sight->run, fault) != 0)
        return -1;
    if (access(xml, F_OK) != 0)
        return fault_set(fault, "helgrind wrote no report (%s); see `grade doctor`",
                         child_end_text(context, &sight->run.child));
    if (valgrind_xml_read(context, xml, &sight->report, fault) != 0)
        return -1;
    (void)unlink(xml);
    if (sight->run.child.end == CHILD_EXITED && !sight->report.whole)
        return fault_set(fault, "helgrind ended before its report did; see `grade doctor`");
    if (sight->report.whole && (sight->report.tool == NULL || strcmp(sight->report.tool, "helgrind") != 0))
        return fault_set(fault, "valgrind's report is not helgrind's; see `grade doctor`");
    return 0;
}

int helgrind_run_locks(void *context, struct workshop *shop, const char *program, struct helgrind_locks *locks,
                       struct fault *fault)
{
    const char *path = memory_format(context, "%s/helgrind.txt", shop->dir);
    const char **command = helgrind_command(context, shop->course->root, NULL, path);
    struct scenario_run run;
    struct fault ignored;

    *locks = (struct helgrind_locks){0};
    if (run_with(context, shop, program, command, &run, fault) != 0)
        return -1;
    const char *text = files_read(context, path, TEXT_LIMIT, NULL, &ignored);
    if (text != NULL)
        helgrind_locks_read(context, text, locks);
    (void)unlink(path);
    return 0;
}
