/* test_lock_scan.c - what a text says of locks and of shared variables, and where it says nothing. */
#include "../src/lock_scan.h"
#include "../src/memory.h"
#include "../src/shared_name.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char SOURCE[] = "int f(struct c *c)\n"                             /* 1 */
                             "{\n"                                              /* 2 */
                             "    pthread_mutex_lock(&c->mutex);\n"             /* 3 */
                             "    if (c->bad) {\n"                              /* 4 */
                             "        pthread_mutex_unlock(&c->mutex);\n"       /* 5 */
                             "        return 1; /* pthread_mutex_lock(&x) */\n" /* 6 */
                             "    }\n"                                          /* 7 */
                             "    c->v++;\n"                                    /* 8 */
                             "    pthread_mutex_unlock(&c->mutex);\n"           /* 9 */
                             "    c->w++;\n"                                    /* 10 */
                             "    if (c->z) {\n"                                /* 11 */
                             "        pthread_mutex_lock(&c->other);\n"         /* 12 */
                             "    }\n"                                          /* 13 */
                             "    c->q++; // pthread_mutex_unlock(&c->other)\n" /* 14 */
                             "}\n"                                              /* 15 */
                             "void g(void) { pthread_mutex_lock(&m); x++; }\n"  /* 16 */
                             "void h(void)\n"                                   /* 17 */
                             "{\n"                                              /* 18 */
                             "    pthread_mutex_unlock(&callers);\n"            /* 19 */
                             "    y++;\n"                                       /* 20 */
                             "}\n";

/* "c->mutex@3 other@4", with a '?' where it is not certain. */
static char *held_at(void *context, int line, bool inclusive)
{
    struct lock_scan scan = lock_scan_at(context, SOURCE, line, inclusive);
    char *words = memory_text(context, scan.certain ? "" : "?");

    for (size_t i = 0; i < scan.count; i++)
        words = memory_append(context, words, " %s@%d", scan.held[i].expression, scan.held[i].line);
    return words;
}

Test(lock_scan, what_every_way_to_a_line_has_taken)
{
    void *context = memory_context(NULL);

    cr_assert_str_eq(held_at(context, 3, false), "");
    cr_assert_str_eq(held_at(context, 3, true), " c->mutex@3");
    cr_assert_str_eq(held_at(context, 4, true), " c->mutex@3");
    cr_assert_str_eq(held_at(context, 6, true), "");
    cr_assert_str_eq(held_at(context, 8, true), " c->mutex@3"); /* the branch that unlocks has returned */
    cr_assert_str_eq(held_at(context, 9, true), " c->mutex@3"); /* an unlock on the line itself comes after */
    cr_assert_str_eq(held_at(context, 10, true), "");
    cr_assert_str_eq(held_at(context, 16, true), " m@16");
    talloc_free(context);
}

Test(lock_scan, what_is_not_plain_is_uncertain)
{
    void *context = memory_context(NULL);

    cr_assert_str_eq(held_at(context, 14, true), "?"); /* taken in one branch only */
    cr_assert_str_eq(held_at(context, 20, true), "?"); /* gives back what it did not take */
    cr_assert_str_eq(held_at(context, 1, true), "?");  /* outside of every function */
    cr_assert_str_eq(held_at(context, 99, true), "?");
    talloc_free(context);
}

Test(lock_scan, strings_and_broken_text_do_no_harm)
{
    void *context = memory_context(NULL);
    static const char *const texts[] = {"\"pthread_mutex_lock(&a)",
                                        "'{",
                                        "/* {",
                                        "}}}}}}",
                                        "pthread_mutex_lock",
                                        "{pthread_mutex_lock(",
                                        "#define L { \\\n pthread_mutex_lock(&a)",
                                        "{pthread_mutex_lock(&a",
                                        ""};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        (void)lock_scan_at(context, texts[i], 5, true);
    struct lock_scan scan = lock_scan_at(context, "void f(void) { puts(\"{ pthread_mutex_lock(&a)\"); x++; }", 1, true);
    cr_assert(scan.certain);
    cr_assert(scan.count == 0);
    talloc_free(context);
}

Test(lock_scan, the_call_on_a_line)
{
    void *context = memory_context(NULL);
    const char *call;
    const char *expression;

    cr_assert(lock_call_at(context, SOURCE, 12, &call, &expression));
    cr_assert_str_eq(call, "pthread_mutex_lock");
    cr_assert_str_eq(expression, "c->other");
    cr_assert(!lock_call_at(context, SOURCE, 8, &call, &expression));
    cr_assert(!lock_call_at(context, SOURCE, 6, &call, &expression), "a comment is no call");
    talloc_free(context);
}

static const char *name_of(void *context, const char *one, bool one_writes, const char *other, bool other_writes)
{
    const char *name =
        shared_name(context, (struct access_line){one, one_writes}, (struct access_line){other, other_writes});

    return name == NULL ? "" : name;
}

Test(shared_name, what_both_lines_use_and_the_writer_assigns)
{
    void *context = memory_context(NULL);

    cr_assert_str_eq(name_of(context, "c->value = c->value + n;", true, "long v = c->value;", false), "c->value");
    cr_assert_str_eq(name_of(context, "c->value += n;", true, "c->value += n;", true), "c->value");
    cr_assert_str_eq(name_of(context, "return counter->value;", false, "counter->value += amount;", true),
                     "counter->value");
    cr_assert_str_eq(name_of(context, "q->items[q->tail] = x;", true, "*x = q->items[q->head];", false),
                     "q->items[q->tail]");
    cr_assert_str_eq(name_of(context, "*part->total += sum;", true, "*part->total += sum;", true), "*part->total");
    cr_assert_str_eq(name_of(context, "number = ++table->last;", true, "table->last = 0;", true), "table->last");
    cr_assert_str_eq(name_of(context, "while (!lock->ready)", false, "lock->ready = true;", true), "lock->ready");
    talloc_free(context);
}

Test(shared_name, where_it_cannot_be_told_there_is_no_answer)
{
    void *context = memory_context(NULL);

    cr_assert_str_eq(name_of(context, "a->x = b->y;", true, "puts(\"a->x\");", false), "");
    cr_assert_str_eq(name_of(context, "a->x = a->y = 0;", true, "return a->x + a->y;", false), "");
    cr_assert_str_eq(name_of(context, "memcpy(&a->b, x, 4);", true, "a->b = 3;", true), "");
    cr_assert_str_eq(name_of(context, "long v = 1;", true, "v = 2;", true), "");
    cr_assert_str_eq(name_of(context, NULL, true, "v = 2;", true), "");
    talloc_free(context);
}

Test(shared_name, an_update_takes_the_old_value)
{
    void *context = memory_context(NULL);

    cr_assert(shared_name_is_updated(context, "c->v = c->v + 1;", "c->v"));
    cr_assert(shared_name_is_updated(context, "c->v++;", "c->v"));
    cr_assert(shared_name_is_updated(context, "--c->v;", "c->v"));
    cr_assert(shared_name_is_updated(context, "c->v <<= 1;", "c->v"));
    cr_assert(!shared_name_is_updated(context, "c->v = 1;", "c->v"));
    cr_assert(!shared_name_is_updated(context, "if (c->v == c->v)", "c->v"));
    talloc_free(context);
}
