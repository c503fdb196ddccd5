/* tests.c - what hello_grade must do. One thread is enough for all of it; the threads come in scenario.c. */
#include "check.h"
#include "hello_grade.h"
#include "wrap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Longer than the stack, which may not grow beyond this then, and than a size of 16 bits. */
enum { LONG_NAME = 1000001, STACK_BYTES = 1 << 18, BYTES = 255 };

/* Asserts that the greeting of `name` is `expected`. */
static void must_greet(const char *name, const char *expected)
{
    char *greeting = NULL;
    int error = hello_grade(name, &greeting);

    must(error == 0, "hello_grade(\"%.40s\", …) returned %s; it should return 0.", name, error_text(error));
    must(greeting != NULL, "hello_grade(\"%.40s\", …) returned 0 and stored no greeting.", name);
    must(strcmp(greeting, expected) == 0, "The greeting for \"%.40s\" should be \"%.60s\", but it is \"%.60s\".", name,
         expected, greeting);
    free(greeting);
}

TEST(greets_by_name, "hello_grade(\"Ada\", …) makes \"Hello, Ada!\", letter for letter.")
{
    must_greet("Ada", "Hello, Ada!");
    must_greet("Grace Hopper", "Hello, Grace Hopper!");
}

TEST(greets_the_empty_name,
     "An empty name is a name too, and gives \"Hello, !\", as Python's f\"Hello, {name}!\" does.")
{
    must_greet("", "Hello, !");
}

TEST(name_may_have_any_characters, "The characters of the name stand in the greeting as they are: a name is no format.")
{
    must_greet("100%% d %d", "Hello, 100%% d %d!");
    must_greet("Zoë\n\t\"Q\"", "Hello, Zoë\n\t\"Q\"!");
    must_greet("  ada lovelace \r\n", "Hello,   ada lovelace \r\n!");
}

TEST(every_character_stays, "Every character of the name stands in the greeting, also those that nobody can see.")
{
    char name[BYTES + 1], *greeting = NULL;
    size_t before = strlen("Hello, ");

    for (int i = 0; i < BYTES; i++)
        name[i] = (char)(i + 1);
    name[BYTES] = '\0';
    must(hello_grade(name, &greeting) == 0, "hello_grade of a name with every character there is returned an error.");
    must(strlen(greeting) == before + BYTES + 1,
         "A name of %d characters should give a greeting of %zu, but it has %zu.", (int)BYTES, before + BYTES + 1,
         strlen(greeting));
    for (size_t i = 0; i < BYTES; i++)
        must(greeting[before + i] == name[i], "The character '\\x%02x' stands in the name, and '\\x%02x' in its place.",
             (unsigned)(unsigned char)name[i], (unsigned)(unsigned char)greeting[before + i]);
    free(greeting);
}

TEST(name_may_be_long, "A name may have any length; the greeting is made as long as it needs to be.")
{
    static char name[LONG_NAME + 1], expected[LONG_NAME + sizeof "Hello, !"];
    char *greeting = NULL;

    must(setrlimit(RLIMIT_STACK, &(struct rlimit){STACK_BYTES, STACK_BYTES}) == 0, "The test got no small stack.");
    memset(name, 'x', LONG_NAME);
    snprintf(expected, sizeof expected, "Hello, %s!", name);
    must(hello_grade(name, &greeting) == 0, "hello_grade of a name of %d characters returned an error.",
         (int)LONG_NAME);
    must(strlen(greeting) == strlen(expected),
         "The name has %d characters and its greeting should have %zu, but it has %zu.", (int)LONG_NAME,
         strlen(expected), strlen(greeting));
    must(strcmp(greeting, expected) == 0, "The greeting for %d times the letter x begins \"%.60s\".", (int)LONG_NAME,
         greeting);
    free(greeting);
}

TEST(each_greeting_is_its_own, "Each greeting is a string of its own: it stays as it is whatever comes after.")
{
    char name[] = "Ada";
    char *first = NULL, *second = NULL;

    must(hello_grade(name, &first) == 0, "hello_grade(\"Ada\", …) returned an error.");
    memcpy(name, "Bob", sizeof name);
    must(hello_grade(name, &second) == 0, "hello_grade(\"Bob\", …) returned an error.");
    must(first != second, "Both greetings are at the same address: the second call wrote over the first.");
    must(strcmp(first, "Hello, Ada!") == 0,
         "After a second greeting the first one should still be \"Hello, Ada!\", but it is \"%.40s\".", first);
    must(strcmp(second, "Hello, Bob!") == 0, "The second greeting should be \"Hello, Bob!\", but it is \"%.40s\".",
         second);
    free(first);
    free(second);
}

TEST(the_same_name_again, "A greeting is new each time, also for a name that was greeted before.")
{
    char *first = NULL, *second = NULL;

    must(hello_grade("Ada", &first) == 0, "hello_grade(\"Ada\", …) returned an error.");
    must(hello_grade("Ada", &second) == 0, "A second hello_grade(\"Ada\", …) returned an error.");
    must(first != second,
         "Two greetings for \"Ada\" are the same string: both callers own it, and both will release it.");
    free(first);
    free(second);
}

TEST(greeting_may_hold_anything,
     "hello_grade only stores in *greeting: what stood there before it neither reads nor releases.")
{
    char *greeting = NULL, *second = NULL;

    must(hello_grade("Ada", &greeting) == 0, "hello_grade(\"Ada\", …) returned an error.");
    second = greeting;
    must(hello_grade("Bob", &second) == 0, "hello_grade(\"Bob\", …) returned an error.");
    must(second != greeting && strcmp(greeting, "Hello, Ada!") == 0,
         "*greeting held the address of an earlier greeting, and hello_grade has released that or written over it.");
    free(greeting);
    free(second);
}

TEST(nothing_to_greet,
     "Without a name, or without a place for the greeting, hello_grade returns EINVAL and changes nothing.")
{
    char untouched[] = "untouched";
    char *greeting = untouched;

    int error = hello_grade(NULL, &greeting);
    must(error == EINVAL, "hello_grade(NULL, …) should return EINVAL, but it returned %s.", error_text(error));
    must(greeting == untouched, "hello_grade(NULL, …) returned an error and yet changed *greeting.");
    error = hello_grade("Ada", NULL);
    must(error == EINVAL, "hello_grade(\"Ada\", NULL) should return EINVAL, but it returned %s.", error_text(error));
}

TEST(no_memory, "When there is no memory, malloc returns NULL: hello_grade then returns ENOMEM and changes nothing.")
{
    char untouched[] = "untouched";
    char *greeting = untouched;

    wrap_fail_memory(-1);
    int error = hello_grade("Ada", &greeting);
    must(error == ENOMEM, "Without memory hello_grade should return ENOMEM, but it returned %s.", error_text(error));
    must(greeting == untouched, "hello_grade returned ENOMEM and yet changed *greeting.");
}

/* The greeting with the `nth` call of `what` from now failing. */
static void must_keep_nothing(enum wrap_call what, long nth)
{
    char untouched[] = "untouched";
    char *greeting = untouched;
    long kept = wrap_memory_kept();

    wrap_fail(what, nth, ENOMEM);
    int error = hello_grade("Ada", &greeting);
    wrap_fail(what, 0, 0);
    kept = wrap_memory_kept() - kept - (what == WRAP_realloc ? 0 : 1); /* the one that failed is none */
    if (error == 0)                                                    /* it makes no such call, or does without */
        free(greeting);
    must(error == 0 || error == ENOMEM, "Allocation %ld failed: hello_grade should return ENOMEM, but it returned %s.",
         nth, error_text(error));
    must(error == 0 || greeting == untouched, "hello_grade returned ENOMEM and yet changed *greeting.");
    must(error == 0 || kept <= 0, "Allocation %ld failed, and what hello_grade had allocated before is not freed.",
         nth);
}

TEST(memory_runs_out, "When the memory ends half-way, hello_grade returns ENOMEM and gives back what it had.")
{
    for (long nth = 1; nth <= 3; nth++) {
        must_keep_nothing(WRAP_malloc, nth);
        must_keep_nothing(WRAP_calloc, nth);
        must_keep_nothing(WRAP_realloc, nth);
    }
}
