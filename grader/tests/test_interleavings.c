/* test_interleavings.c - what the stage interleavings reads, says and shows; and small programs, right and wrong, from
 * end to end. */
#include "ini_file.h"
#include "interleave_run.h"
#include "interleave_words.h"
#include "screen_interleaving.h"
#include "text.h"
#include "workshop_fixture.h"

static struct fixture fixture;

static void set_up(void)
{
    fixture_tiny(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

TestSuite(interleavings, .init = set_up, .fini = tear_down, .timeout = 300);

/* ---- words ------------------------------------------------------------------------------------------------------- */

Test(interleavings, a_proof_in_words)
{
    static const struct {
        struct proof proof;
        const char *words;
    } rows[] = {
        {{.everything = true, .preemptions = 2, .runs = 5000, .whole = 4812}, "every interleaving was run (4,812)"},
        {{.preemptions = 2, .runs = 9, .whole = 7}, "every interleaving with up to 2 preemptions was run (7)"},
        {{.preemptions = 1, .runs = 9, .whole = 7}, "every interleaving with up to 1 preemption was run (7)"},
        {{.preemptions = 0, .runs = 9, .whole = 7}, "every interleaving without a preemption was run (7)"},
        {{.preemptions = 1, .runs = 1100000, .random = 100000, .depth = 3},
         "1,100,000 interleavings were run, and there are more: all with up to 1 preemption, and 100,000 chosen at "
         "random"},
        {{.preemptions = 0, .runs = 120000, .random = 12000, .depth = 3},
         "120,000 interleavings were run, and there are more: all without a preemption, and 12,000 chosen at random"},
        {{.preemptions = -1, .runs = 1}, "1 interleaving was run, and there are more"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(proof_words(fixture.context, &rows[i].proof), rows[i].words);
    cr_expect_str_eq(proof_number(fixture.context, 0), "0");
    cr_expect_str_eq(proof_number(fixture.context, 999), "999");
    cr_expect_str_eq(proof_number(fixture.context, 1000), "1,000");
    cr_expect_str_eq(proof_number(fixture.context, 123456789), "123,456,789");
}

/* ---- the explorer's JSON ----------------------------------------------------------------------------------------- */

#define COUNTS                                                                                                         \
    "\"version\":1,\"runs\":9,\"runs_whole\":7,\"runs_equal\":2,\"runs_random\":0,\"random_depth\":3,"                 \
    "\"random_seed\":1,\"proved_preemptions\":null,\"proved_everything\":false"
#define SCENARIO_LINE "{\"file\":\"scenario.c\",\"line\":21,\"source\":\"s\",\"function\":\"add_one\"}"
#define HARNESS_LINE "{\"file\":\"model_harness.c\",\"line\":3,\"source\":\"h\",\"function\":\"f\"}"
#define STUDENT_LINE "{\"file\":\"tiny.c\",\"line\":6,\"source\":\"x\",\"function\":\"tiny_add\"}"

static const struct listed_scenario scenario = {"two_adders", "two threads add"};

static int read_text(const char *text, struct explored *explored)
{
    *explored = (struct explored){0};
    return interleave_read(fixture.context, &fixture.shop, &scenario, text, explored);
}

Test(interleavings, nothing_found_is_a_proof)
{
    struct explored explored;

    cr_assert_eq(read_text("{\"finding\":null," COUNTS "}", &explored), 0);
    cr_expect_eq(explored.end, EXPLORE_NOTHING);
    cr_expect_eq(explored.proof.runs, 9);
    cr_expect_eq(explored.proof.whole, 7);
    cr_expect_eq(explored.proof.preemptions, -1);
    cr_expect_str_eq(explored.proof.scenario, "two_adders");
    cr_expect_str_eq(explored.proof.text, "9 interleavings were run, and there are more");
}

Test(interleavings, a_finding_is_read_and_its_steps_have_the_students_lines)
{
    struct explored explored;
    static const char text[] =
        "{\"finding\":{\"kind\":\"deadlock\",\"what\":\"all wait\",\"thread\":2,\"other\":null,\"at\":" SCENARIO_LINE
        ",\"token\":\"i1.1\",\"story\":{\"pattern\":\"lock-order\",\"what\":\"It is so.\",\"advice\":\"Do "
        "not.\"},\"trace_cut\":4,\"threads\":[{\"number\":2,\"body\":\"add_one\",\"at\":" STUDENT_LINE
        ",\"callers\":[],\"ended\":false,\"state\":\"waits\",\"holds\":[\"a\",\"b\"]}],\"trace\":["
        "{\"thread\":2,\"at\":" HARNESS_LINE ",\"callers\":[" HARNESS_LINE "," STUDENT_LINE "," SCENARIO_LINE
        "],\"does\":\"locks\",\"object\":\"a\",\"object_number\":3,\"before\":\"0\",\"other\":null},"
        "{\"thread\":1,\"at\":" SCENARIO_LINE ",\"does\":\"makes\",\"object\":null,\"other\":2},"
        "{\"thread\":1,\"at\":null,\"does\":\"ends\",\"object\":null,\"other\":null}]}," COUNTS "}";

    fixture_write(&fixture, "1\n2\n3\n4\n5\n    f(a);  \n7\n");
    cr_assert_eq(read_text(text, &explored), 0);
    cr_expect_eq(explored.end, EXPLORE_FOUND);
    const struct interleaving *order = explored.order;
    cr_expect_str_eq(order->token, "two_adders:i1.1");
    cr_expect_eq(order->left_out, 4);
    cr_expect_eq(order->thread_count, 1);
    cr_expect_str_eq(order->threads[0].holds[1], "b");
    cr_expect_null(order->threads[0].holds[2]);
    cr_expect_str_eq(order->threads[0].source, "f(a);");
    cr_expect_eq(order->step_count, 3);
    cr_expect_str_eq(order->steps[0].file, "tiny.c", "a frame of the harness stands for the student's call");
    cr_expect_str_eq(order->steps[0].source, "f(a);");
    cr_expect_str_eq(order->steps[1].file, "scenario.c");
    cr_expect_null(order->steps[1].source, "only the student's lines have their text");
    cr_expect_eq(order->steps[1].other, 2);
    cr_expect_null(order->steps[2].file);
    cr_expect_eq(order->steps[0].number, 3);
    cr_expect_str_eq(order->steps[0].before, "0");
    cr_expect_null(order->steps[0].after);
    cr_expect_str_eq(order->pattern, "lock-order");
    cr_expect_str_eq(explored.why, "It is so. Do not.");
}

Test(interleavings, what_is_no_result_of_the_explorers_is_refused)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"finding\":null}",
        "{\"finding\":3," COUNTS "}",
        "{\"finding\":{}," COUNTS "}",
        "{\"finding\":{\"kind\":\"race\"}," COUNTS "}",
        "{\"finding\":{\"what\":\"x\"}," COUNTS "}",
        "{" COUNTS "}",
        "{\"finding\":null,\"runs\":\"9\"}",
    };
    struct explored explored;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_eq(read_text(texts[i], &explored), -1, "%s", texts[i]);
    /* Odd types inside a finding are no reason to fail: what is missing is not shown. */
    cr_expect_eq(read_text("{\"finding\":{\"kind\":\"race\",\"what\":\"x\",\"threads\":5,\"trace\":[7,{\"does\":[]}],"
                           "\"at\":[]}," COUNTS "}",
                           &explored),
                 0);
}

/* ---- from end to end --------------------------------------------------------------------------------------------- */

static const char ADD[] =
    "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount;\n    pthread_mutex_unlock(&tiny->mutex);\n";

static enum outcome grade(const char *includes, const char *from, const char *to)
{
    fixture_edit(&fixture, from, to);
    char *text = fixture_read(&fixture, fixture.shop.source);
    fixture_write(&fixture, memory_format(fixture.context, "%s%s", includes, text));
    return fixture_run(&fixture, stage_interleavings);
}

static const struct finding *first(void)
{
    cr_assert_eq(fixture.result.finding_count, 1, "%s", fixture_words(&fixture));
    return &fixture.result.findings[0];
}

static void must_say(const char *words)
{
    char *said = fixture_words(&fixture);

    cr_assert(strstr(said, words) != NULL, "`%s` is not in:\n%s", words, said);
}

static void must_be(const char *kind)
{
    cr_assert_not_null(first()->order);
    cr_expect_str_eq(first()->order->kind, kind);
}

Test(interleavings, the_reference_passes_and_all_is_proved)
{
    cr_assert_eq(grade("", "", ""), OUTCOME_PASSED, "%s", fixture_words(&fixture));
    cr_expect_eq(fixture.result.checks, 3);
    cr_assert_eq(fixture.result.proof_count, 3);
    cr_expect_str_eq(fixture.result.proofs[0].scenario, "two_adders");
    for (size_t i = 0; i < 3; i++)
        cr_expect(fixture.result.proofs[i].everything || fixture.result.proofs[i].preemptions == 2, "%s",
                  fixture.result.proofs[i].text);
}

Test(interleavings, a_race_names_both_lines)
{
    cr_assert_eq(grade("", ADD, "    tiny->value += amount;\n"), OUTCOME_FAILED);
    must_be("race");
    cr_assert_eq(first()->place_count, 2, "%s", fixture_words(&fixture));
    for (size_t i = 0; i < 2; i++) {
        cr_expect_str_eq(first()->places[i].file, "tiny.c");
        cr_expect_str_eq(first()->places[i].excerpt, "tiny->value += amount;");
    }
    cr_expect_neq(strcmp(first()->places[0].who, first()->places[1].who), 0);
    must_say("After ");
    must_say("Scenario two_adders: two threads add while nobody else looks.");
    must_say("Proved for the reference: every interleaving");
}

/* No race, and right in nearly every run: the total is read in one critical section and written in another. */
static const char TWO_STEPS[] =
    "    pthread_mutex_lock(&tiny->mutex);\n    long value = tiny->value;\n    pthread_mutex_unlock(&tiny->mutex);\n"
    "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value = value + amount;\n"
    "    pthread_mutex_unlock(&tiny->mutex);\n";

Test(interleavings, an_update_that_is_lost_between_two_critical_sections)
{
    cr_assert_eq(grade("", ADD, TWO_STEPS), OUTCOME_FAILED);
    must_be("assertion");
    must_say("Two threads added 1 each, and the total is 1.");
    cr_expect_not_null(strstr(first()->why, "tiny"), "the explorer knows this mistake: %s", first()->why);
    cr_expect_not_null(first()->order->pattern);
    cr_expect_gt(first()->order->runs, 0);
}

Test(interleavings, the_same_file_gives_the_same_verdict_byte_for_byte)
{
    char *texts[2];

    for (int i = 0; i < 2; i++) {
        fixture_afresh(&fixture);
        cr_assert_eq(grade("", ADD, TWO_STEPS), OUTCOME_FAILED);
        json_t *json = interleaving_to_json(first()->order);
        cr_assert_not_null(json);
        texts[i] = json_dumps(json, JSON_SORT_KEYS);
        json_decref(json);
        cr_assert_not_null(texts[i]);
    }
    cr_expect_str_eq(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

Test(interleavings, a_token_brings_the_same_order_back)
{
    cr_assert_eq(grade("", ADD, TWO_STEPS), OUTCOME_FAILED);
    const struct interleaving *found = first()->order;

    fixture.shop.replay = found->token;
    cr_assert_eq(fixture_run(&fixture, stage_interleavings), OUTCOME_FAILED);
    const struct interleaving *again = first()->order;
    cr_expect_str_eq(again->token, found->token);
    cr_assert_eq(again->step_count, found->step_count);
    for (size_t i = 0; i < found->step_count; i++) {
        cr_expect_eq(again->steps[i].thread, found->steps[i].thread);
        cr_expect_eq(again->steps[i].line, found->steps[i].line);
        cr_expect_str_eq(again->steps[i].does, found->steps[i].does);
    }
}

Test(interleavings, a_token_that_does_not_fit_is_no_verdict)
{
    static const char *const tokens[] = {
        "nobody:i", "two_adders", "", ":", "two_adders:", "two_adders:xyz", "two_adders:i9.9.9.9"};

    fixture_edit(&fixture, NULL, NULL);
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        fixture.shop.replay = tokens[i];
        cr_expect_eq(fixture_run(&fixture, stage_interleavings), OUTCOME_SKIPPED, "%s", tokens[i]);
        cr_expect_not_null(fixture.result.reason);
        cr_expect_eq(fixture.result.finding_count, 0);
    }
}

Test(interleavings, a_lock_that_is_not_given_back)
{
    cr_assert_eq(grade("", ADD, "    pthread_mutex_lock(&tiny->mutex);\n    tiny->value += amount;\n"), OUTCOME_FAILED);
    must_say("mutex");
    cr_expect_str_eq(first()->places[0].file, "tiny.c");
}

Test(interleavings, memory_that_is_lost_or_used_after_its_end)
{
    cr_assert_eq(grade("", "    free(tiny);\n", ""), OUTCOME_FAILED);
    must_be("leak");
    fixture_afresh(&fixture);
    cr_assert_eq(grade("", "    free(tiny);\n", "    free(tiny);\n    tiny->value = 0;\n"), OUTCOME_FAILED);
    must_be("heap");
}

Test(interleavings, a_crash_is_the_students)
{
    cr_assert_eq(grade("", ADD, "    *(volatile long *)0 = amount;\n"), OUTCOME_FAILED);
    must_be("crash");
    cr_expect_str_eq(first()->places[0].excerpt, "*(volatile long *)0 = amount;");
}

Test(interleavings, whoever_ends_the_program_has_not_passed)
{
    static const char *const ends[] = {"    exit(0);\n", "    exit(3);\n", "    abort();\n", "    _Exit(0);\n"};

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        fixture_afresh(&fixture);
        cr_expect_eq(grade("", ADD, ends[i]), OUTCOME_FAILED, "%s", ends[i]);
        first();
    }
}

Test(interleavings, whoever_never_ends_has_not_passed)
{
    cr_assert_eq(grade("#include <sched.h>\n", ADD, "    while (amount == 1)\n        sched_yield();\n"),
                 OUTCOME_FAILED);
    first();
    fixture_afresh(&fixture);
    cr_assert_eq(grade("", ADD, "    for (volatile long i = 0; amount == 1; i++)\n        continue;\n"),
                 OUTCOME_FAILED);
    first();
}

Test(interleavings, whoever_prints_without_end_is_not_heard)
{
    cr_assert_eq(
        grade(
            "#include <stdio.h>\n", "    if (amount == 0)\n",
            "    for (int i = 0; i < 100000; i++)\n        puts(\"{\\\"finding\\\":null}\");\n    if (amount == 0)\n"),
        OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

/* A call that nobody allowed and the explorer does not know: the rules stage is before this one, so it is our fault. */
Test(interleavings, a_call_that_cannot_be_modelled_is_the_graders_fault)
{
    fixture_edit(&fixture, ADD, "    fork();\n");
    char *text = fixture_read(&fixture, fixture.shop.source);
    fixture_write(&fixture, memory_format(fixture.context, "#include <unistd.h>\n%s", text));
    cr_assert_eq(stage_interleavings(fixture.context, &fixture.shop, &fixture.result, &fixture.fault), -1);
    cr_expect_not_null(strstr(fixture.fault.text, "fork"), "%s", fixture.fault.text);
    cr_expect_not_null(strstr(fixture.fault.text, "two_adders"), "%s", fixture.fault.text);
}

/* ---- on the screen ----------------------------------------------------------------------------------------------- */

static char *shown(int width, int room, bool utf8, const struct interleaving *order)
{
    const struct screen screen = {.width = width, .utf8 = utf8};
    static struct screen kept;

    kept = screen;
    struct page page = page_begin(fixture.context, &kept);
    screen_interleaving(&page, order, room);
    return page.text;
}

static void lines_fit(const char *text, int width, int room)
{
    int lines = 0;

    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1, lines++) {
        char *one = memory_text_n(fixture.context, line, strcspn(line, "\n"));
        cr_expect_leq(text_width(one), width, "%s", one);
    }
    cr_expect_leq(lines, room, "%s", text);
}

Test(interleavings, the_table_fits_every_screen)
{
    static const int widths[] = {200, 110, 80, 60, 40};
    static const int rooms[] = {4, 7, 12, 10000};

    cr_assert_eq(grade("", ADD, TWO_STEPS), OUTCOME_FAILED);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (size_t k = 0; k < sizeof rooms / sizeof *rooms; k++) {
            char *text = shown(widths[i], rooms[k], true, first()->order);

            cr_expect_neq(*text, '\0');
            lines_fit(text, widths[i], rooms[k]);
        }
    cr_expect_str_empty(shown(80, 3, true, first()->order), "no room for a table");
    for (const char *at = shown(80, 10000, false, first()->order); *at != '\0'; at++)
        cr_expect_gt(*at, 0, "ASCII only");
}

Test(interleavings, the_table_has_a_column_a_thread)
{
    cr_assert_eq(grade("", ADD, TWO_STEPS), OUTCOME_FAILED);
    char *text = shown(120, 20, true, first()->order);

    cr_expect_not_null(strstr(text, "thread 2, add_one"), "%s", text);
    cr_expect_not_null(strstr(text, "thread 3, add_one"), "%s", text);
    cr_expect_not_null(strstr(text, "tiny->value = value + amount;"), "%s", text);
    cr_expect_not_null(strstr(text, "scenario.c:"), "the scenario's promise has its place: %s", text);
    text = shown(40, 20, true, first()->order);
    cr_expect_not_null(strstr(text, "  thread 2   "), "%s", text);
}

/* Each line has one thread's cell only: what is to its right is free. */
Test(interleavings, a_line_goes_on_under_the_columns_to_its_right)
{
    static const char *const code = "error = pthread_cond_timedwait(&queue->changed, &queue->mutex, &end);";
    struct explored_thread threads[] = {
        {.number = 2, .body = "one"}, {.number = 3, .body = "two"}, {.number = 4, .body = "three"}};
    struct step steps[] = {
        {.thread = 2, .file = "tiny.c", .line = 6, .source = code, .does = "locks", .object = "m"},
        {.thread = 3, .file = "tiny.c", .line = 7, .source = "y", .does = "locks", .object = "m"},
        {.thread = 4, .file = "tiny.c", .line = 8, .source = "z = 1 + 2;", .does = "locks", .object = "m"},
    };
    const struct interleaving order = {.threads = threads, .thread_count = 3, .steps = steps, .step_count = 3};
    char *text = shown(80, 20, true, &order);

    cr_expect_str_eq(text,
                     "  thread 2, one           thread 3, two           thread 4, three\n"
                     "  6 error = pthread_cond_timedwait(&queue->changed, &queue->mutex, &end);\n"
                     "    → locks m\n"
                     "                          7 y\n"
                     "                            → locks m\n"
                     "                                                  8 z = 1 + 2;\n"
                     "                                                    → locks m\n",
                     "%s", text);
}

Test(interleavings, an_object_behind_a_sentence_is_in_parentheses)
{
    struct explored_thread thread = {.number = 2, .body = "add_one"};
    struct step steps[] = {
        {.thread = 2, .file = "tiny.c", .line = 6, .source = "x", .does = "wakes as its time is over", .object = "c"},
        {.thread = 2, .file = "tiny.c", .line = 7, .source = "y", .does = "locks", .object = "m"},
    };
    const struct interleaving order = {.threads = &thread, .thread_count = 1, .steps = steps, .step_count = 2};
    char *text = shown(80, 20, true, &order);

    cr_expect_not_null(strstr(text, "wakes as its time is over (c)\n"), "%s", text);
    cr_expect_not_null(strstr(text, "locks m\n"), "%s", text);
}

static char *proofs_at(int width)
{
    static const struct proof proofs[] = {
        {.scenario = "one", .text = "every interleaving was run (7)"},
        {.scenario = "two_at_the_same_time",
         .text = "120,000 interleavings were run, and there are more: all without a preemption, and 12,000 chosen at "
                 "random"},
    };
    static struct screen screen;

    screen = (struct screen){.width = width, .utf8 = true};
    struct page page = page_begin(fixture.context, &screen);
    screen_proofs(&page, proofs, 2);
    return page.text;
}

Test(interleavings, what_was_proved_goes_on_below_itself)
{
    cr_expect_str_eq(proofs_at(80),
                     "  ✓ one                    every interleaving was run (7)\n"
                     "  ✓ two_at_the_same_time   120,000 interleavings were run, and there are more:\n"
                     "                           all without a preemption, and 12,000 chosen at random\n");
    cr_expect_str_eq(proofs_at(50), "  ✓ one\n    every interleaving was run (7)\n"
                                    "  ✓ two_at_the_same_time\n"
                                    "    120,000 interleavings were run, and there are\n"
                                    "    more: all without a preemption, and 12,000\n"
                                    "    chosen at random\n");
}

/* ---- what an exercise allows ------------------------------------------------------------------------------------- */

/* A program that calls everything that the sets of allow.ini name. */
static const char *all_calls(void)
{
    struct ini_file sets;
    char *declared = memory_text(fixture.context, ""), *called = memory_text(fixture.context, "");

    cr_assert(ini_file_read(fixture.context, "grader/checks/allow.ini", "allow.ini", &sets, &fixture.fault) == 0, "%s",
              fixture.fault.text);
    for (size_t i = 0; i < sets.count; i++) {
        size_t count = 0;
        const char **names = ini_words(fixture.context, sets.entries[i].value, &count);

        for (size_t k = 0; k < count; k++) {
            if (strchr(names[k], '*') != NULL)
                continue;
            declared = memory_append(fixture.context, declared, "extern void %s(void);\n", names[k]);
            called = memory_append(fixture.context, called, "    %s();\n", names[k]);
        }
    }
    return memory_format(fixture.context, "%sint main(void)\n{\n%s    return 0;\n}\n", declared, called);
}

/* The first call of this program that the explorer does not model; NULL where there is none. */
static const char *unmodelled(const char *source)
{
    const char *interleave = NULL;
    const char *made = memory_format(fixture.context, "%s/all.so", fixture.shop.dir);
    struct child_result result;

    cr_assert(toolchain_interleave(fixture.context, &fixture.shop, &interleave, &fixture.fault) == 0, "%s",
              fixture.fault.text);
    const char *const argv[] = {interleave, "--prepare", made, "-Wno-builtin-declaration-mismatch", source, NULL};
    const struct child_spec spec = {.argv = argv};
    cr_assert(child_run(fixture.context, &spec, &result, &fixture.fault) == 0, "%s", fixture.fault.text);
    cr_assert(result.end == CHILD_EXITED && result.status == 0, "%s", result.err);
    size_t size = 0;
    const char *bytes = files_read(fixture.context, made, 1 << 24, &size, &fixture.fault);
    cr_assert_not_null(bytes, "%s", fixture.fault.text);
    const char *stub = memmem(bytes, size, "il_stub_", 8);
    return stub == NULL ? NULL : stub + 8;
}

Test(interleavings, every_call_that_an_exercise_may_allow_is_modelled)
{
    const char *source = memory_format(fixture.context, "%s/all.c", fixture.shop.dir);
    const char *text = all_calls();

    cr_assert(files_write(source, text, strlen(text), &fixture.fault) == 0, "%s", fixture.fault.text);
    const char *name = unmodelled(source);
    cr_expect_null(name, "%s", name);
    /* And the check can fail. */
    text = "extern int fork(void);\nint main(void)\n{\n    return fork();\n}\n";
    cr_assert(files_write(source, text, strlen(text), &fixture.fault) == 0, "%s", fixture.fault.text);
    name = unmodelled(source);
    cr_expect(name != NULL && strncmp(name, "fork", 4) == 0);
}
