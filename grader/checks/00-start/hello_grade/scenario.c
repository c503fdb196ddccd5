/* scenario.c - two threads greet, one after the other.
 *
 * The gate makes the order certain, so that nothing can go wrong by accident, and the detectors do not see it: to them
 * the two calls are free to overlap, and whatever the calls share is a race in every run.
 */
#include "scenario.h"
#include "hello_grade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void greet(const char *name, const char *expected)
{
    char *greeting = NULL;

    ensure(hello_grade(name, &greeting) == 0, "hello_grade(\"%s\", …) returned an error", name);
    ensure(strcmp(greeting, expected) == 0, "the greeting for \"%s\" is \"%s\"", name, greeting);
    free(greeting);
}

static void *greet_ada(void *first_is_done)
{
    greet("Ada", "Hello, Ada!");
    gate_open(first_is_done);
    return NULL;
}

static void *greet_grace(void *first_is_done)
{
    gate_pass(first_is_done);
    greet("Grace", "Hello, Grace!");
    return NULL;
}

static void two_greeters(void)
{
    struct gate first_is_done = GATE_CLOSED;
    pthread_t ada = scenario_thread(greet_ada, &first_is_done);
    pthread_t grace = scenario_thread(greet_grace, &first_is_done);

    scenario_join(ada);
    scenario_join(grace);
}

/* Lengths around the sizes in which memory is handed out, so that a byte too few is a byte too few. */
static void every_length(void)
{
    static const char *const names[] = {"", "A", "Al", "Ada", "Alan", "Grace", "Barbara", "Tim Berners-Lee"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *greeting = NULL;
        ensure(hello_grade(names[i], &greeting) == 0, "hello_grade(\"%s\", …) returned an error", names[i]);
        ensure(strlen(greeting) == strlen("Hello, !") + strlen(names[i]), "\"%s\" has the wrong length", greeting);
        free(greeting);
    }
}

static void nothing_to_greet(void)
{
    char *greeting = NULL;

    ensure(hello_grade(NULL, &greeting) == EINVAL, "hello_grade(NULL, …) did not return EINVAL");
    ensure(greeting == NULL, "hello_grade(NULL, …) changed *greeting");
    ensure(hello_grade("Ada", NULL) == EINVAL, "hello_grade(\"Ada\", NULL) did not return EINVAL");
}

SCENARIOS = {
    {"two_greeters", two_greeters, "two threads make a greeting each"},
    {"every_length", every_length, "one thread greets names of many lengths"},
    {"nothing_to_greet", nothing_to_greet, "one thread calls without a name, then without a place for the greeting"},
    SCENARIOS_END,
};
