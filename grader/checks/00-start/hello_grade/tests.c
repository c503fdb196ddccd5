/* tests.c - what hello_grade must do. One thread is enough for all of it; the threads come in scenario.c. */
#include "check.h"
#include "hello_grade.h"
#include "wrap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_NAME = 4001 };

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
}

TEST(name_may_be_long, "A name may have any length; the greeting is made as long as it needs to be.")
{
    static char name[LONG_NAME + 1], expected[LONG_NAME + sizeof "Hello, !"];

    memset(name, 'x', LONG_NAME);
    snprintf(expected, sizeof expected, "Hello, %s!", name);
    must_greet(name, expected);
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

    wrap_fail(WRAP_malloc, -1, ENOMEM);
    wrap_fail(WRAP_calloc, -1, ENOMEM);
    wrap_fail(WRAP_realloc, -1, ENOMEM);
    int error = hello_grade("Ada", &greeting);
    must(error == ENOMEM, "Without memory hello_grade should return ENOMEM, but it returned %s.", error_text(error));
    must(greeting == untouched, "hello_grade returned ENOMEM and yet changed *greeting.");
}
