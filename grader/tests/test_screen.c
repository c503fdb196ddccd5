/* What a student reads: invariants of every screen (width, lines, escapes), and the words that must be there. */
#include "chapter.h"
#include "little_course.h"
#include "screen.h"
#include "text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SCREEN_LINES = 24 };

static struct little_course little;
static void *context;

static void setup(void)
{
    little_begin(&little);
    context = little.context;
}

static void teardown(void)
{
    little_end(&little);
}

TestSuite(screen, .init = setup, .fini = teardown);

/* ---- verdicts to look at ----------------------------------------------------------------------------------------- */

static const char *const names[] = {"build", "rules", "tests", "memory", "races", "timing"};

/* All stages passed, except that from `failed` on (6: none fails) the first fails and the others are skipped. */
static struct verdict *verdict_of(const char *exercise, size_t failed)
{
    struct verdict *verdict = memory_zeroed(context, 1, sizeof *verdict);

    verdict->exercise = exercise;
    verdict->title = "The title";
    verdict->source = memory_format(context, "exercises/%s/%s.c", exercise, strchr(exercise, '/') + 1);
    verdict->result_count = 6;
    verdict->results = memory_zeroed(context, 6, sizeof *verdict->results);
    verdict->wall_s = 1.42;
    verdict->max_points = 10;
    verdict->points = failed == 6 ? 10 : 4;
    verdict->outcome = failed == 6 ? OUTCOME_PASSED : OUTCOME_FAILED;
    for (size_t i = 0; i < 6; i++) {
        struct stage_result *result = &verdict->results[i];

        result->stage = names[i];
        result->outcome = i < failed ? OUTCOME_PASSED : i == failed ? OUTCOME_FAILED : OUTCOME_SKIPPED;
        result->checks = i == 2 ? 6 : 0;
        if (i > failed)
            result->reason = memory_format(context, "after %s", names[failed]);
    }
    return verdict;
}

static void add_place(struct finding *finding, int line, const char *excerpt, const char *who, const char *note)
{
    struct place *place = finding_place(context, finding, "counter.c", line);

    place->excerpt = excerpt;
    place->who = who;
    place->note = note;
}

static struct verdict *race(void)
{
    struct verdict *verdict = verdict_of("02-locks/counter", 4);
    struct finding *finding =
        finding_add(context, &verdict->results[4], SEVERITY_FAILURE,
                    "Two threads change `c->value` at the same time, and no lock is held by both.");

    add_place(finding, 31, "c->value = c->value + n;", "thread 2", "holding nothing");
    add_place(finding, 24, "long v = c->value;", "thread 3", "holding c->mutex (taken at line 23)");
    finding->why =
        "The read, the addition and the write are three steps. A thread that comes in between works from an old "
        "value, and one of the two additions is lost.";
    finding->read = "02-locks#critical-section";
    return verdict;
}

/* Everything too long, too many and hostile. */
static struct verdict *hostile(void)
{
    struct verdict *verdict = verdict_of("02-locks/counter", 2);
    char *longest = memory_text(context, ""), *detail = memory_text(context, "");

    for (int i = 0; i < 200; i++)
        longest = memory_append(context, longest, "word%d%s", i, i % 7 == 0 ? "\n" : " ");
    for (int i = 0; i < 300; i++)
        detail = memory_append(context, detail, "::error::line %d \033[2J\xff\t%s\r\n", i, i % 3 == 0 ? longest : "");
    for (int i = 0; i < 40; i++) {
        struct finding *finding = finding_add(context, &verdict->results[2], SEVERITY_FAILURE, longest);

        finding->why = longest;
        finding->detail = detail;
        for (int j = 0; j < 30; j++)
            add_place(finding, j, longest, "thread\0332", longest);
    }
    return verdict;
}

static struct verdict *passed(void)
{
    struct verdict *verdict = verdict_of("02-locks/counter", 6);
    struct finding *note =
        finding_add(context, &verdict->results[0], SEVERITY_NOTE, "The variable `unused` is never used.");

    finding_place(context, note, "counter.c", 12);
    return verdict;
}

static struct verdict *inconclusive(void)
{
    struct verdict *verdict = verdict_of("02-locks/rlock", 6);

    verdict->outcome = OUTCOME_INCONCLUSIVE;
    verdict->results[5].outcome = OUTCOME_INCONCLUSIVE;
    verdict->results[5].reason =
        "No points are lost. The reference itself took between 0.11 and 0.94 s in nine runs: this machine is too busy "
        "for a fair comparison.";
    return verdict;
}

static struct verdict *broken(void)
{
    struct verdict *verdict = verdict_of("02-locks/rlock", 4);

    verdict->outcome = OUTCOME_BROKEN;
    verdict->reason = "valgrind could not be started";
    verdict->results[4].outcome = OUTCOME_BROKEN;
    return verdict;
}

static struct verdict *strangers(void)
{
    struct verdict *verdict = race();

    verdict->student = "student\033[31m\n::set-output\xff";
    verdict->source = "class/student/counter.c";
    return verdict;
}

/* ---- looking at them --------------------------------------------------------------------------------------------- */

static struct screen plain(int width)
{
    return (struct screen){.width = width, .utf8 = true, .course = &little.course};
}

static char *shown(const struct screen *screen, const struct verdict *verdict)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    screen_verdict(out, screen, verdict);
    cr_assert_eq(fclose(out), 0);

    char *copy = memory_text_n(context, text, size);

    cr_assert_eq(strlen(text), size, "a NUL was written");
    free(text);
    return copy;
}

/* Without the colours that the screen itself makes; any other escape stays, and is found. */
static char *uncoloured(const char *text)
{
    static const char *const own[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"};
    char *kept = memory_text(context, text), *to = kept;

    while (*text != '\0') {
        size_t skip = 0;

        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            if (strncmp(text, own[i], strlen(own[i])) == 0)
                skip = strlen(own[i]);
        if (skip == 0)
            *to++ = *text++;
        text += skip;
    }
    *to = '\0';
    return kept;
}

static void check_text(const struct screen *screen, const char *text, const char *what)
{
    char *words = screen->colour ? uncoloured(text) : memory_text(context, text);

    cr_assert_str_eq(text_clean(context, words, screen->utf8), words, "%s: not clean", what);
    cr_assert_leq(text_width(words), screen->width, "%s: %d columns of %d\n%.3000s", what, text_width(words),
                  screen->width, words);
    cr_assert_null(strstr(words, "\n::"), "%s: a line that other tools take for a command", what);
    cr_assert(*words == '\0' || words[strlen(words) - 1] == '\n', "%s: the last line has no end", what);
}

static struct verdict *(*const makers[])(void) = {race, hostile, passed, inconclusive, broken, strangers};

Test(screen, every_verdict_keeps_to_its_columns_lines_and_signs)
{
    static const int widths[] = {60, 72, 80, 100, 200};

    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        for (size_t j = 0; j < sizeof widths / sizeof *widths; j++)
            for (int bits = 0; bits < 4; bits++) {
                struct screen screen = plain(widths[j]);

                screen.colour = bits & 1;
                screen.utf8 = bits & 2;

                char *text = shown(&screen, makers[i]());
                char *what = memory_format(context, "verdict %zu, width %d", i, widths[j]);

                check_text(&screen, text, what);
                cr_assert_lt(text_lines(text), SCREEN_LINES, "%s: %d lines\n%.3000s", what, text_lines(text), text);
            }
}

Test(screen, a_narrow_terminal_is_kept_to_as_well)
{
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        struct screen screen = plain(40);

        check_text(&screen, shown(&screen, makers[i]()), "40 columns");
    }
}

static void must_say(const char *text, ...)
{
    va_list words;
    const char *word;

    va_start(words, text);
    while ((word = va_arg(words, const char *)) != NULL)
        cr_assert_not_null(strstr(text, word), "\"%s\" is not in\n%.3000s", word, text);
    va_end(words);
}

Test(screen, a_race_says_what_where_why_and_what_to_read)
{
    struct screen screen = plain(80);
    char *text = shown(&screen, race());

    must_say(text_first_lines(context, text, 1), "02-locks/counter", "fails at races", "4 of 10 points", "1.4 s", NULL);
    must_say(text, "✓ build", "tests (6)", "✗ races", "– timing (after races)", "✗ Two threads change", "counter.c:31",
             "c->value = c->value + n;", "thread 2, holding nothing", "taken at line 23", "Why: The read,",
             "chapter 02, “The critical section”", "make grade EX=counter", "make hint EX=counter", NULL);
}

Test(screen, places_stand_in_columns_where_there_is_room)
{
    struct screen screen = plain(100);
    char *text = shown(&screen, race());

    must_say(text, "counter.c:31   c->value = c->value + n;   thread 2, holding nothing\n",
             "counter.c:24   long v = c->value;         thread 3, holding c->mutex", NULL);
}

Test(screen, ascii_has_words_beside_its_signs)
{
    struct screen screen = plain(80);

    screen.utf8 = false;
    must_say(shown(&screen, race()), "ok build", "x races", "- timing (after races)", "x Two threads", "Why: ", NULL);
}

Test(screen, what_is_left_out_is_counted_and_verbose_leaves_nothing_out)
{
    struct screen screen = plain(80);
    struct verdict *verdict = verdict_of("02-locks/counter", 2);

    for (int i = 1; i <= 9; i++)
        finding_add(context, &verdict->results[2], SEVERITY_FAILURE,
                    memory_format(context, "Test number %d failed.", i));

    char *brief = shown(&screen, verdict);

    must_say(brief, "✗ Test number 1 failed.", "also: Test number 2 failed.", "6 more", "ARGS=--verbose", NULL);
    cr_assert_null(strstr(brief, "number 9"));
    screen.verbose = true;

    char *whole = shown(&screen, verdict);

    for (int i = 1; i <= 9; i++)
        must_say(whole, memory_format(context, "✗ Test number %d failed.", i), NULL);
}

Test(screen, verbose_prints_all_lines_and_places)
{
    struct screen screen = plain(80);
    struct verdict *verdict = hostile();

    screen.verbose = true;

    char *text = shown(&screen, verdict);

    must_say(text, "::error::line 40 \\x1b[2J\xef\xbf\xbd", "more bytes", "counter.c:29", NULL);
    cr_assert_null(strstr(text, "\033"));
    cr_assert_null(strstr(text, "\n::"));
}

Test(screen, a_failure_goes_before_the_compilers_notes)
{
    struct screen screen = plain(80);
    struct verdict *verdict = race();

    finding_place(context, finding_add(context, &verdict->results[0], SEVERITY_NOTE, "A warning of the compiler."),
                  "counter.c", 7);

    char *text = shown(&screen, verdict);

    must_say(text, "✗ Two threads", "note: counter.c:7: A warning of the compiler.", NULL);
    cr_assert_lt(strstr(text, "Two threads"), strstr(text, "A warning"));
}

Test(screen, what_passed_offers_the_reference)
{
    struct screen screen = plain(80);
    struct verdict *verdict = passed();

    must_say(shown(&screen, verdict), "passed · 10 of 10 points", "solutions/02-locks/counter.c", "make next",
             "note: counter.c:12", NULL);
    verdict->source = "solutions/02-locks/counter.c";
    cr_assert_null(strstr(shown(&screen, verdict), "make next"), "whoever grades the references needs no advice");
}

Test(screen, too_busy_costs_nothing_and_says_so)
{
    struct screen screen = plain(80);
    char *text = shown(&screen, inconclusive());

    must_say(text, "passed; timing not judged", "10 of 10 points", "~ timing: inconclusive.", "too busy",
             "No points are", NULL);
    cr_assert_null(strstr(text, "✗"));
}

Test(screen, the_graders_own_failure_is_not_the_students)
{
    struct screen screen = plain(80);
    char *text = shown(&screen, broken());

    must_say(text, "no verdict", "valgrind could not be started", "not the fault of", "make doctor", NULL);
    cr_assert_null(strstr(text, "✗"), "nothing here is the student's failure");
    cr_assert_null(strstr(text, "of 10 points"), "and nothing was judged");
    cr_assert_null(strstr(text, "make hint"));
}

Test(screen, an_untouched_starter_is_a_beginning)
{
    struct screen screen = plain(80);

    little_list_starters(&little);

    char *text = shown(&screen, race());

    must_say(text, "not begun", "meant to fail", "exercises/02-locks/counter/counter.c", NULL);
    cr_assert_null(strstr(text_first_lines(context, text, 1), "fails"));
    little_write(&little, "exercises/02-locks/counter/counter.c", "/* mine */\n");
    must_say(shown(&screen, race()), "fails at races", NULL);
}

Test(screen, a_strangers_name_stays_on_its_line)
{
    struct screen screen = plain(100);
    char *text = shown(&screen, strangers());

    must_say(text_first_lines(context, text, 1), "student\\x1b[31m ::set-output", "02-locks/counter", NULL);
    cr_assert_null(strstr(text, "make hint"), "an instructor gets no hints");
}

Test(screen, without_a_course_it_does_without)
{
    struct screen screen = plain(80);

    screen.course = NULL;
    must_say(shown(&screen, race()), "Two threads", "chapter 02", NULL);
}

/* ---- many -------------------------------------------------------------------------------------------------------- */

static char *summary(const struct screen *screen, const struct verdict *verdicts, size_t count)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; i < count; i++)
        screen_line(out, screen, &verdicts[i]);
    screen_summary(out, screen, verdicts, count);
    cr_assert_eq(fclose(out), 0);

    char *copy = memory_text_n(context, text, size);

    free(text);
    return copy;
}

Test(screen, a_summary_adds_up_by_chapter_and_shows_what_to_fix_first)
{
    struct verdict verdicts[] = {*verdict_of("00-start/hello", 6), *verdict_of("00-start/again", 6), *race(),
                                 *inconclusive()};

    for (int width = 60; width <= 120; width += 20) {
        struct screen screen = plain(width);
        char *text = summary(&screen, verdicts, 4);

        check_text(&screen, text, "summary");
        must_say(text, "3 of 4 passed · 34 of 40 points", "00 start", "2 of 2   20 of 20 points", "02 locks",
                 "1 of 2   14 of 20 points", "First to fix:", "Two threads", NULL);
    }
}

Test(screen, a_summary_shows_what_was_begun_before_what_was_not)
{
    struct screen screen = plain(80);
    struct verdict verdicts[] = {*verdict_of("00-start/hello", 2), *race()};

    finding_add(context, &verdicts[0].results[2], SEVERITY_FAILURE, "It greets nobody.");
    little_list_starters(&little);
    must_say(summary(&screen, verdicts, 2), "Where to begin:", "It greets nobody.", NULL);
    little_write(&little, "exercises/02-locks/counter/counter.c", "/* mine */\n");
    must_say(summary(&screen, verdicts, 2), "First to fix:", "Two threads", NULL);
}

Test(screen, a_summary_of_passes_says_so)
{
    struct screen screen = plain(80);
    struct verdict verdicts[] = {*verdict_of("00-start/hello", 6), *passed()};

    must_say(summary(&screen, verdicts, 2), "2 of 2 passed", "All passed.", NULL);
}

/* ---- what the terminal is -----------------------------------------------------------------------------------------
 */

/* A terminal of 97 columns. */
static FILE *terminal(int *keeper)
{
    struct winsize size = {.ws_row = 24, .ws_col = 97};

    *keeper = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(*keeper, 0);
    cr_assert_eq(grantpt(*keeper) | unlockpt(*keeper), 0);

    int fd = open(ptsname(*keeper), O_RDWR | O_NOCTTY | O_CLOEXEC); /* O_NOCTTY: it must not become this session's */
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

    cr_assert_not_null(out);
    cr_assert_eq(ioctl(fileno(out), TIOCSWINSZ, &size), 0);
    return out;
}

static void environment(const char *term, const char *no_color, const char *columns, const char *locale)
{
    setenv("TERM", term, 1);
    setenv("NO_COLOR", no_color, 1);
    setenv("COLUMNS", columns, 1);
    unsetenv("LC_ALL");
    unsetenv("LC_CTYPE");
    setenv("LANG", locale, 1);
}

Test(screen, a_terminal_has_colour_and_its_own_width)
{
    int keeper;
    FILE *out = terminal(&keeper);

    environment("xterm", "", "55", "en_GB.UTF-8");

    struct screen screen = screen_of(out, false);

    cr_assert(screen.colour && screen.live && screen.utf8);
    cr_assert_eq(screen.width, 97);
    cr_assert_not(screen_of(out, true).colour);
    environment("xterm", "1", "55", "C");
    cr_assert_not(screen_of(out, false).colour);
    cr_assert(screen_of(out, false).live, "NO_COLOR says nothing about a status line");
    cr_assert_not(screen_of(out, false).utf8);
    environment("dumb", "", "", "C.utf8");
    cr_assert_not(screen_of(out, false).colour || screen_of(out, false).live);
    cr_assert(screen_of(out, false).utf8);
    fclose(out);
    close(keeper);
}

Test(screen, a_pipe_has_neither)
{
    FILE *out = tmpfile();

    environment("xterm", "", "132", "en_GB.UTF-8");
    cr_assert_not(screen_of(out, false).colour || screen_of(out, false).live);
    cr_assert_eq(screen_of(out, false).width, 132);
    environment("xterm", "", "nonsense", "en_GB.UTF-8");
    cr_assert_eq(screen_of(out, false).width, 80);
    environment("xterm", "", "3", "en_GB.UTF-8");
    cr_assert_eq(screen_of(out, false).width, 40);
    fclose(out);
}

Test(screen, a_status_line_is_one_line_and_only_on_a_terminal)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct screen screen = plain(40);

    screen_status(out, &screen, "%s: races", "02-locks/counter");
    screen_status_clear(out, &screen);
    fflush(out);
    cr_assert_eq(size, 0u);
    screen.live = true;
    screen_status(out, &screen, "%s", "a long\nline that\033[2J does not fit on forty columns at all");
    fflush(out);
    cr_assert_null(strchr(text, '\n'));
    cr_assert_leq(text_width(text + strlen("\r\033[K")), 39);
    screen_status_clear(out, &screen);
    fclose(out);
    cr_assert_str_eq(text + strlen(text) - 4, "\r\033[K");
    free(text);
}

/* ---- what the prose calls things ----------------------------------------------------------------------------------
 */

Test(screen, sections_have_the_names_of_their_headings)
{
    const struct course *course = &little.course;

    cr_assert_str_eq(chapter_label(context, "03-global-lock"), "03 global lock");
    cr_assert_str_eq(chapter_section(context, course, "02-locks#critical-section"),
                     "chapter 02, “The critical section”");
    cr_assert_str_eq(chapter_section(context, course, "02-locks#critical"), "chapter 02");
    cr_assert_str_eq(chapter_section(context, course, "07-nowhere#x"), "chapter 07");
    cr_assert_str_eq(chapter_path(context, course, "02-locks#critical-section"), "chapters/02-locks.md");
    little_write(&little, "build/book/02-locks.html", "<html>");
    cr_assert_str_eq(chapter_path(context, course, "02-locks#critical-section"),
                     "build/book/02-locks.html#critical-section");
}
