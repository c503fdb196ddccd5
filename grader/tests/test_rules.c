/* test_rules.c - what is refused before it runs, and what only looks like it. */
#include "workshop_fixture.h"

#include <stdio.h>

static struct fixture fixture;

static void set_up(void)
{
    fixture_tiny(&fixture);
}

static void tear_down(void)
{
    fixture_end(&fixture);
}

TestSuite(rules, .init = set_up, .fini = tear_down);

/* The reference with `to` for `from` passes. */
static void edit_passes(const char *from, const char *to)
{
    fixture_afresh(&fixture);
    fixture_edit(&fixture, from, to);
    cr_expect(fixture_run(&fixture, stage_rules) == OUTCOME_PASSED, "“%s” is refused:\n%s", to,
              fixture_words(&fixture));
    cr_expect_eq(fixture.result.finding_count, 0u);
}

static void edit_fails(const char *from, const char *to, const char *words, int line)
{
    fixture_afresh(&fixture);
    fixture_edit(&fixture, from, to);
    cr_expect(fixture_run(&fixture, stage_rules) == OUTCOME_FAILED, "“%s” is not refused", to);
    cr_expect(strstr(fixture_words(&fixture), words) != NULL, "“%s” is not in:\n%s", words, fixture_words(&fixture));
    cr_expect_eq(fixture.result.findings[0].places[0].line, line, "not line %d:\n%s", line, fixture_words(&fixture));
}

static const char add[] = "    tiny->value += amount;\n"; /* line 52 */
static const char head[] = "#include \"tiny.h\"\n";       /* line 5 */

Test(rules, reference_starter_and_variant_pass)
{
    edit_passes(NULL, NULL);
    fixture_afresh(&fixture);
    fixture_write(&fixture, fixture_read(&fixture, fixture.shop.exercise->starter));
    cr_expect(fixture_run(&fixture, stage_rules) == OUTCOME_PASSED, "%s", fixture_words(&fixture));
    fixture_afresh(&fixture);
    fixture_write(&fixture, fixture_read(&fixture, memory_format(fixture.context, "%s/variants/one_locked_helper.c",
                                                                 fixture.shop.exercise->checks_dir)));
    cr_expect(fixture_run(&fixture, stage_rules) == OUTCOME_PASSED, "%s", fixture_words(&fixture));
}

/* Right programs with words in them that would be wrong elsewhere. */
Test(rules, words_that_are_not_compiled_are_free)
{
    edit_passes(head, "/* __asm__, PTHREAD_MUTEX_RECURSIVE and #pragma weak */\n#include \"tiny.h\"\n");
    edit_passes(head, "#include \"tiny.h\"\n#if 0\n__asm__(\"it's\");\n#pragma weak x\n#endif\n");
    edit_passes(head, "#include \"tiny.h\"\n#ifdef NOWHERE\n__asm__(\"nop\");\n#endif\n");
    edit_passes(head, "#define UNUSED_MACRO __asm__(\"nop\")\n#include \"tiny.h\"\n");
    edit_passes(head, "#include \"tiny.h\"\n#include <stdio.h>\n#define SAY(x) #x\n");
    edit_passes(add, "    tiny->value += amount + 0 * (long)sizeof \"__asm__ PTHREAD_MUTEX_RECURSIVE\";\n");
}

Test(rules, macros_of_the_systems_own_are_free)
{
    edit_passes(
        add, "    pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;\n    (void)other;\n    tiny->value += amount;\n");
    edit_passes(
        head,
        "#include \"tiny.h\"\n#include <errno.h>\n#include <pthread.h>\n#include <assert.h>\n#define PASTED(a) "
        "ti##a\nstruct tiny;\nint PASTED(nier)(void);\n"
        "int PASTED(nier)(void)\n{\n    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;\n    assert(sizeof m > 1);\n"
        "    return errno;\n}\n");
}

Test(rules, harmless_extensions_are_free)
{
    edit_passes(head, "#include \"tiny.h\"\n#pragma once\n#pragma STDC FP_CONTRACT OFF\n#pragma region mine\n");
    edit_passes(head, "#pragma GCC diagnostic ignored \"-Wunused\"\n#include \"tiny.h\"\n");
    edit_passes(
        head,
        "#include \"tiny.h\"\n#ifdef __GNUC__\n#define QUIET __attribute__((unused))\n#else\n#define QUIET\n#endif\n"
        "static int QUIET nobody(void)\n{\n    return __LINE__;\n}\n");
    edit_passes(head,
                "#include \"tiny.h\"\n#if defined(__GNUC__)\n#define likely(x) __builtin_expect((x), 1)\n#endif\n");
    edit_passes("struct tiny {\n", "struct tiny {\n    int weak, section, asm, constructor;\n");
    edit_passes(
        head,
        "#include \"tiny.h\"\n#include <errno.h>\n#include <stdio.h>\n#include <string.h>\nint say(long amount);\n"
        "int say(long amount)\n{\n    return printf(\"%ld %s\\n\", amount, strerror(errno));\n}\n");
}

Test(rules, code_that_the_compiler_adds_is_free)
{
    edit_passes("struct tiny {\n", "struct tiny {\n    char room[5000];\n");
    edit_passes(add, "    struct tiny copy = *tiny;\n    *tiny = copy;\n    tiny->value += amount;\n");
    edit_passes(add,
                "    tiny->value += (long)((__extension__(unsigned __int128)amount << 70) / 3 >> 70) * 0 + amount;\n");
    edit_passes(add, "    static _Thread_local int times;\n    times++;\n    tiny->value += amount;\n");
    edit_passes(add,
                "    switch (amount) {\n    case 1: tiny->value += 1; break;\n    case 2: tiny->value -= 7; break;\n"
                "    case 3: tiny->value *= 3; break;\n    case 4: tiny->value /= 3; break;\n"
                "    case 5: tiny->value ^= 3; break;\n    default: tiny->value += amount;\n    }\n");
}

/* Names that the library's headers put in the place of those the student wrote. */
Test(rules, names_behind_the_librarys_headers_are_free)
{
    edit_passes(
        head,
        "#include \"tiny.h\"\n#include <ctype.h>\n#include <errno.h>\n#include <stdio.h>\n#include "
        "<string.h>\nint say(const char *text);\n"
        "int say(const char *text)\n{\n    char room[80];\n    errno = 0;\n    fputc(text[0], stdout);\n"
        "    return strerror_r(errno, room, sizeof room) + isdigit((unsigned char)text[1]) + toupper(text[2]);\n}\n");
}

Test(rules, calls_that_are_not_allowed_come_with_line_and_reason)
{
    edit_fails(add, "    tiny->value += amount;\n    sched_yield();\n", "`sched_yield` may not be called", 53);
    edit_fails(add, "    pthread_cond_t c;\n    pthread_cond_wait(&c, &tiny->mutex);\n",
               "For locking and waiting it allows: "
               "pthread_mutex_init",
               53);
    edit_fails(add, "    tiny->value += rand();\n", "not among the calls", 52);
    edit_fails(add, "    pthread_mutexattr_t a;\n    pthread_mutexattr_init(&a);\n", "A plain mutex is all", 53);
}

Test(rules, a_forbidden_call_by_its_address)
{
    edit_fails(head, "#include \"tiny.h\"\n#include <stdlib.h>\nvoid (*way_out)(int) = exit;\n", "`exit`", 0);
}

Test(rules, words_of_the_exercise_with_their_sentence)
{
    edit_fails(add, "    int kind = PTHREAD_MUTEX_RECURSIVE;\n    tiny->value += amount * !!kind;\n",
               "A plain mutex is all", 52);
    edit_fails(head,
               "#define GLUE(a, b) a##b\n#define KIND GLUE(PTHREAD_MUTEX_REC, URSIVE)\n#include \"tiny.h\"\n#include "
               "<pthread.h>\n"
               "static const int kind = KIND;\nint *way(void);\nint *way(void)\n{\n    return (int *)&kind;\n}\n",
               "PTHREAD_MUTEX_RECURSIVE", 9);
}

Test(rules, at_most_five_findings)
{
    edit_fails(add,
               "    abort();\n    rand();\n    exit(1);\n    _Exit(2);\n    quick_exit(3);\n    getenv(\"\");\n    "
               "system(\"\");\n    atexit(0);\n",
               "may not be called", 52);
    cr_assert_leq(fixture.result.finding_count, 5u);
}

/* They build, and fail here. */
static void ends_here(struct fixture *attacked, const char *name, const char *words)
{
    cr_expect(fixture_run(attacked, stage_build) == OUTCOME_PASSED, "%s does not build: %s", name,
              fixture_words(attacked));
    cr_expect(fixture_run(attacked, stage_rules) == OUTCOME_FAILED, "%s passed", name);
    cr_expect(strstr(fixture_words(attacked), words) != NULL, "%s: “%s” is not in:\n%s", name, words,
              fixture_words(attacked));
}

Test(rules, attacks_end_here)
{
    cr_assert_gt(fixture_attacks(&fixture, "rules", ends_here), 30);
}
