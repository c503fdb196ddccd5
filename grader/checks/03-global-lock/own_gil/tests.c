/* tests.c - what an interpreter of one's own must be.
 *
 * That interpreters do not wait for each other is shown without a clock: threads are inside several of them at the same
 * time, and one stands still in the middle of a call (in its malloc) while the others go on. Where they share any lock,
 * everyone is stuck, and the grader says so.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "check.h"
#include "nap.h"
#include "own_gil.h"
#include "refuse.h"
#include "wrap.h"

#include <stdio.h>
#include <string.h>

static struct own_gil *new_interpreter(void)
{
    struct own_gil *interpreter = NULL;
    int error = own_gil_create(&interpreter);

    must(error == 0 && interpreter != NULL, "own_gil_create returned %s or stored nothing.", error_text(error));
    return interpreter;
}

static struct own_gil_thread *enter(struct own_gil *interpreter)
{
    struct own_gil_thread *thread = NULL;
    int error = own_gil_enter(interpreter, &thread);

    must(error == 0 && thread != NULL, "own_gil_enter returned %s or stored nothing.", error_text(error));
    return thread;
}

static void end(struct own_gil *interpreter)
{
    must_return(0, own_gil_destroy(interpreter), "own_gil_destroy of an interpreter that nobody is inside of");
}

static void must_be(struct own_gil_thread *thread, const char *name, int64_t expected)
{
    int64_t value = -4711;

    must_return(0, own_gil_get(thread, name, &value), "own_gil_get of a variable that was set");
    must(value == expected, "The variable %s should be %lld, but it is %lld.", name, (long long)expected,
         (long long)value);
}

/* ---- one interpreter -------------------------------------------------------------------------------------------- */

TEST(variables, "A global variable keeps its value until it is set anew; one that was never set is ENOENT.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    int64_t value = 99;
    char name[8] = "x";

    must(strcmp(own_gil_error(thread), "") == 0, "There was no error yet, and own_gil_error is \"%s\".",
         own_gil_error(thread));
    must_return(ENOENT, own_gil_get(thread, name, &value), "own_gil_get of a variable that was never set");
    must(value == 99, "own_gil_get failed, and yet *value has changed.");
    name[0] = 'z';
    must(strcmp(own_gil_error(thread), "name 'x' is not defined") == 0,
         "x was not there, its caller has overwritten the name since, and own_gil_error should be \"name 'x' is not "
         "defined\", but it is \"%s\".",
         own_gil_error(thread));
    name[0] = 'x';
    must_return(0, own_gil_set(thread, name, 1), "own_gil_set");
    name[0] = 'y';
    must_return(0, own_gil_set(thread, name, -2), "own_gil_set");
    name[0] = '?';
    must_be(thread, "x", 1);
    must_be(thread, "y", -2);
    must_return(0, own_gil_set(thread, "x", INT64_MAX), "own_gil_set of a variable that is there");
    must_be(thread, "x", INT64_MAX);
    must(strcmp(own_gil_error(thread), "name 'x' is not defined") == 0,
         "The last error's message is gone, although there was no other error: \"%s\".", own_gil_error(thread));
    own_gil_leave(thread);
    thread = enter(interpreter);
    must_be(thread, "y", -2);
    must(strcmp(own_gil_error(thread), "") == 0, "A thread that has just entered met no error, and has \"%s\".",
         own_gil_error(thread));
    own_gil_leave(thread);
    end(interpreter);
}

TEST(many_variables, "There is no limit to the number of variables and texts, nor to their length.")
{
    enum { MANY = 3000 };
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    static char longest[5001];
    char name[16];
    long wrong = 0;
    const char *first = own_gil_intern(thread, "v0");

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "v%d", i);
        wrong += own_gil_set(thread, name, i) != 0 || own_gil_intern(thread, name) == NULL;
    }
    for (int i = 0; i < MANY; i++) {
        int64_t value = -1;
        snprintf(name, sizeof name, "v%d", i);
        wrong += own_gil_get(thread, name, &value) != 0 || value != i;
    }
    must(wrong == 0, "Of 3000 variables and texts %ld could not be set or have another value.", wrong);
    must(own_gil_interned(thread) == MANY, "3000 texts were interned, and own_gil_interned says %zu.",
         own_gil_interned(thread));
    must(first != NULL && own_gil_intern(thread, "v0") == first,
         "A text was interned, then 2999 others, and now the first one is another pointer: it should last as long as "
         "its "
         "interpreter.");
    memset(longest, 'n', sizeof longest - 1);
    must_return(0, own_gil_set(thread, longest, 5), "own_gil_set with a name of 5000 bytes");
    must_be(thread, longest, 5);
    longest[sizeof longest - 2] = 'm';
    int64_t value;
    must_return(ENOENT, own_gil_get(thread, longest, &value), "own_gil_get with a name that differs in its last byte");
    own_gil_leave(thread);
    end(interpreter);
}

TEST(many_interpreters, "There is no limit to the number of interpreters, and a thread may be inside all of them.")
{
    enum { MANY = 150 };
    struct own_gil *interpreters[MANY];
    struct own_gil_thread *threads[MANY];

    for (int i = 0; i < MANY; i++) {
        interpreters[i] = new_interpreter();
        threads[i] = enter(interpreters[i]);
    }
    for (int i = 0; i < MANY; i++) {
        own_gil_leave(threads[i]);
        end(interpreters[i]);
    }
}

TEST(long_names_in_errors, "A message has at most OWN_GIL_ERROR_MAX bytes; of a longer one the name is cut off.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    static char longest[1001];
    int64_t value;

    memset(longest, 'n', sizeof longest - 1);
    must_return(ENOENT, own_gil_get(thread, longest, &value), "own_gil_get of a variable that was never set");
    size_t size = strlen(own_gil_error(thread));
    must(size == OWN_GIL_ERROR_MAX, "The name has 1000 bytes, and the message %zu: it should have %d.", size,
         OWN_GIL_ERROR_MAX);
    must(strncmp(own_gil_error(thread), "name 'nnn", 9) == 0 &&
             strcmp(own_gil_error(thread) + size - strlen("n' is not defined"), "n' is not defined") == 0,
         "The message should be \"name 'nnn…n' is not defined\", but it is \"%s\".", own_gil_error(thread));
    must_return(ENOENT, own_gil_get(thread, "100%d", &value), "own_gil_get of a variable that was never set");
    must(strcmp(own_gil_error(thread), "name '100%d' is not defined") == 0,
         "The variable 100%%d was never set, and the message is \"%s\".", own_gil_error(thread));
    own_gil_leave(thread);
    end(interpreter);
}

TEST(interned_once, "The same text is interned once: the same pointer each time, to a copy that lasts.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    char text[] = "spam";

    must(own_gil_interned(thread) == 0, "A new interpreter should have interned nothing.");
    const char *spam = own_gil_intern(thread, text);
    must(spam != NULL && spam != text && strcmp(spam, "spam") == 0, "own_gil_intern did not give a copy of the text.");
    text[0] = 'S';
    const char *other = own_gil_intern(thread, text), *empty = own_gil_intern(thread, "");
    must(strcmp(spam, "spam") == 0, "The caller has changed his text, and the interned one has changed with it.");
    must(other != NULL && other != spam && strcmp(other, "Spam") == 0, "Another text should be another pointer.");
    must(empty != NULL && strcmp(empty, "") == 0, "The empty text is a text, too.");
    text[0] = 's';
    must(own_gil_intern(thread, text) == spam, "The same text was interned twice, and gave two pointers.");
    must(own_gil_interned(thread) == 3, "Three texts were interned, and own_gil_interned says %zu.",
         own_gil_interned(thread));
    own_gil_leave(thread);
    thread = enter(interpreter);
    must(own_gil_interned(thread) == 3, "A thread has left, and of the three interned texts %zu are still there.",
         own_gil_interned(thread));
    must(own_gil_intern(thread, "spam") == spam, "Interned texts should last as long as their interpreter.");
    own_gil_leave(thread);
    end(interpreter);
}

/* ---- several threads in one ------------------------------------------------------------------------------------- */

struct visitor {
    struct own_gil *interpreter;
    struct gate inside, go;
    struct nap_alarm alarm; /* of its own_gil_enter */
    int error;
    bool fails; /* meets an error of its own */
    struct runner *runner;
};

static void visit(void *argument)
{
    struct visitor *visitor = argument;
    struct own_gil_thread *thread = NULL;
    int64_t value;

    nap_alarm = &visitor->alarm;
    visitor->error = own_gil_enter(visitor->interpreter, &thread);
    nap_alarm = NULL;
    if (visitor->error != 0)
        return;
    if (visitor->fails)
        own_gil_get(thread, "other", &value);
    own_gil_set(thread, "visited", 1);
    gate_open(&visitor->inside);
    gate_pass(&visitor->go);
    own_gil_leave(thread);
}

static void start(struct visitor *visitor, struct own_gil *interpreter)
{
    visitor->interpreter = interpreter;
    visitor->error = -1;
    visitor->runner = runner_start(visit, visitor);
}

TEST(threads_take_turns, "Threads inside the same interpreter take turns: one at a time runs.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    struct visitor visitor = {.error = -1};
    int64_t value;

    start(&visitor, interpreter);
    must_be_blocked(visitor.runner, "A thread is inside, and another one did not wait to enter.");
    must_return(ENOENT, own_gil_get(thread, "visited", &value), "own_gil_get of what the other would set");
    own_gil_leave(thread);
    gate_pass(&visitor.inside);
    gate_open(&visitor.go);
    runner_join(visitor.runner);
    must_return(0, visitor.error, "own_gil_enter of a thread that waited");
    thread = enter(interpreter);
    must_be(thread, "visited", 1);
    own_gil_leave(thread);
    end(interpreter);
}

TEST(errors_are_the_threads_own,
     "The message of a thread's last error stays, whatever other threads of the interpreter meet.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    struct visitor visitor = {.fails = true, .alarm.naps = 2};
    int64_t value;

    must_return(ENOENT, own_gil_get(thread, "mine", &value), "own_gil_get of a variable that was never set");
    start(&visitor, interpreter);
    nap_ring(&visitor.alarm, 0);
    nap_ring(&visitor.alarm, 1); /* it has asked for the lock */
    gate_open(&visitor.go);
    own_gil_checkpoint(thread);
    must_be(thread, "visited", 1);
    must(strcmp(own_gil_error(thread), "name 'mine' is not defined") == 0,
         "A thread's error was about 'mine', then another thread met one, and now the first one's says \"%s\".",
         own_gil_error(thread));
    own_gil_leave(thread);
    runner_join(visitor.runner);
    end(interpreter);
}

TEST(checkpoint_lets_others_in,
     "own_gil_checkpoint lets the interpreter's other threads run where they have asked; else not.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    struct visitor visitor = {.alarm.naps = 2};
    int64_t value;

    start(&visitor, interpreter);
    gate_pass(&visitor.alarm.asleep[0]);
    own_gil_checkpoint(thread);
    must_return(ENOENT, own_gil_get(thread, "visited", &value), "own_gil_get after a checkpoint that nobody asked for");
    nap_ring(&visitor.alarm, 0);
    nap_ring(&visitor.alarm, 1);
    gate_open(&visitor.go);
    own_gil_checkpoint(thread);
    must_be(thread, "visited", 1);
    own_gil_leave(thread);
    runner_join(visitor.runner);
    end(interpreter);
}

TEST(busy_while_inside, "An interpreter that a thread is inside of cannot be ended: EBUSY, and nothing has changed.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    struct visitor visitor = {.error = -1};

    const char *text = own_gil_intern(thread, "spam");
    own_gil_leave(thread);
    must_return(0, own_gil_set_interval(interpreter, 77), "own_gil_set_interval");
    start(&visitor, interpreter);
    gate_pass(&visitor.inside);
    must_return(EBUSY, own_gil_destroy(interpreter), "own_gil_destroy while a thread is inside");
    gate_open(&visitor.go);
    runner_join(visitor.runner);
    thread = enter(interpreter);
    must_be(thread, "visited", 1);
    must(own_gil_interned(thread) == 1 && own_gil_intern(thread, "spam") == text,
         "own_gil_destroy returned EBUSY, and yet the text that was interned before is not there any more.");
    must(own_gil_interval(interpreter) == 77, "own_gil_destroy returned EBUSY, and yet the interval has changed.");
    own_gil_leave(thread);
    end(interpreter);
    must_return(0, own_gil_destroy(NULL), "own_gil_destroy of NULL");
}

static void try_to_end(void *argument)
{
    struct visitor *ending = argument;

    ending->error = own_gil_destroy(ending->interpreter);
}

TEST(still_busy, "An interpreter is busy until the last thread has left, whoever came and left meanwhile.")
{
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    struct visitor visitor = {.alarm.naps = 2}, ending = {.interpreter = interpreter, .error = -1};

    start(&visitor, interpreter);
    nap_ring(&visitor.alarm, 0);
    nap_ring(&visitor.alarm, 1); /* it has asked for the lock */
    gate_open(&visitor.go);
    own_gil_checkpoint(thread);
    runner_join(visitor.runner);
    runner_join(runner_start(try_to_end, &ending));
    must_return(EBUSY, ending.error, "Of two threads inside one has left, and own_gil_destroy");
    must_be(thread, "visited", 1);
    own_gil_leave(thread);
    end(interpreter);
}

TEST(no_limit_to_threads, "There is no limit to the number of threads in an interpreter.")
{
    enum { MANY = 40 };
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);
    struct visitor visitors[MANY] = {{0}};
    int failed = 0;

    for (int i = 0; i < MANY; i++) {
        start(&visitors[i], interpreter);
        gate_open(&visitors[i].go);
    }
    settle();
    own_gil_leave(thread);
    for (int i = 0; i < MANY; i++) {
        runner_join(visitors[i].runner);
        failed += visitors[i].error != 0;
    }
    must(failed == 0, "40 threads waited to enter an interpreter, and own_gil_enter failed in %d of them.", failed);
    end(interpreter);
}

TEST(interval_of_its_own, "Each interpreter has an interval of its own, as gil.h has it.")
{
    struct own_gil *one = new_interpreter(), *two = new_interpreter();

    must(own_gil_interval(one) == GIL_INTERVAL_US,
         "The interval of a new interpreter should be 5000 µs, but it is %lld.", (long long)own_gil_interval(one));
    must_return(0, own_gil_set_interval(one, 77), "own_gil_set_interval");
    must_return(EINVAL, own_gil_set_interval(one, 0), "own_gil_set_interval with 0");
    must(own_gil_interval(one) == 77, "The interval was set to 77 µs, and it is %lld.",
         (long long)own_gil_interval(one));
    must(own_gil_interval(two) == GIL_INTERVAL_US, "One interpreter's interval was set, and another one's changed.");
    end(two);
    two = new_interpreter();
    must(own_gil_interval(two) == GIL_INTERVAL_US,
         "One interpreter's interval was set, and a new one begins with %lld µs instead of 5000.",
         (long long)own_gil_interval(two));
    end(one);
    end(two);
}

/* ---- several interpreters --------------------------------------------------------------------------------------- */

TEST(nothing_is_shared, "What is set, interned or reported in one interpreter is not to be seen in another.")
{
    struct own_gil *one = new_interpreter(), *two = new_interpreter();
    struct visitor visitor = {.error = -1};
    int64_t value = 0;

    start(&visitor, two);
    gate_pass(&visitor.inside);
    gate_open(&visitor.go);
    runner_join(visitor.runner);
    struct own_gil_thread *in_one = enter(one);
    int got = own_gil_get(in_one, "visited", &value);
    must_return(ENOENT, got, "own_gil_get of a variable that was set in another interpreter");
    const char *text = own_gil_intern(in_one, "spam"), *letter = own_gil_intern(in_one, "a");
    must(own_gil_intern(in_one, "spam") == text, "The same text was interned twice, and gave two pointers.");
    must_return(0, own_gil_set(in_one, "x", 1), "own_gil_set");
    own_gil_leave(in_one);
    struct own_gil_thread *in_two = enter(two);
    must(own_gil_interned(in_two) == 0, "A text was interned in one interpreter, and another one counts it.");
    must(own_gil_intern(in_two, "spam") != text && own_gil_intern(in_two, "a") != letter,
         "Two interpreters share an interned text.");
    must_return(ENOENT, own_gil_get(in_two, "x", &value),
                "own_gil_get of a variable that was set in another interpreter");
    must_return(0, own_gil_set(in_two, "x", 2), "own_gil_set");
    own_gil_leave(in_two);
    in_one = enter(one);
    must_be(in_one, "x", 1);
    own_gil_leave(in_one);
    end(one);
    in_two = enter(two);
    must_be(in_two, "x", 2);
    must_be(in_two, "visited", 1);
    own_gil_leave(in_two);
    end(two);
}

TEST(inside_several_at_once, "A thread may be inside several interpreters, and each has its error for it.")
{
    struct own_gil *one = new_interpreter(), *two = new_interpreter();
    struct own_gil_thread *in_one = enter(one);
    struct own_gil_thread *in_two = enter(two); /* waits for itself where the lock is shared */
    int64_t value;

    must_return(ENOENT, own_gil_get(in_one, "a", &value), "own_gil_get of a variable that was never set");
    must_return(ENOENT, own_gil_get(in_two, "b", &value), "own_gil_get of a variable that was never set");
    must(strcmp(own_gil_error(in_one), "name 'a' is not defined") == 0,
         "An error in one interpreter was overwritten by one in another: \"%s\".", own_gil_error(in_one));
    own_gil_leave(in_one);
    own_gil_leave(in_two);
    end(one);
    end(two);
}

struct meeting {
    struct own_gil *interpreter;
    struct crew *crew;
    int error;
    struct runner *runner;
};

static void meet(void *argument)
{
    struct meeting *meeting = argument;
    struct own_gil_thread *thread = NULL;

    meeting->error = own_gil_enter(meeting->interpreter, &thread);
    if (meeting->error != 0)
        return;
    crew_meet(meeting->crew); /* with the interpreter's lock held */
    own_gil_leave(thread);
}

TEST(all_run_at_the_same_time,
     "Threads inside different interpreters run at the same time: N interpreters use N cores.")
{
    enum { MANY = 8 };
    struct crew crew = CREW_OF(MANY);
    struct meeting meetings[MANY];
    int errors = 0;

    for (int i = 0; i < MANY; i++) {
        meetings[i] = (struct meeting){.interpreter = new_interpreter(), .crew = &crew};
        meetings[i].runner = runner_start(meet, &meetings[i]);
    }
    for (int i = 0; i < MANY; i++) {
        runner_join(meetings[i].runner); /* hangs where they share a lock: they never meet */
        errors += meetings[i].error != 0;
        end(meetings[i].interpreter);
    }
    must(errors == 0, "own_gil_enter failed %d times.", errors);
}

TEST(holds_all_of_them, "Who enters another interpreter holds on to the lock of the one where he is.")
{
    struct own_gil *one = new_interpreter(), *two = new_interpreter();
    struct own_gil_thread *in_one = enter(one);
    struct visitor visitor = {.alarm.naps = 2};
    int64_t value;

    start(&visitor, one);
    nap_ring(&visitor.alarm, 0);
    nap_ring(&visitor.alarm, 1); /* it has asked for the first one's lock */
    gate_open(&visitor.go);
    struct own_gil_thread *in_two = enter(two);
    must(own_gil_get(in_one, "visited", &value) == ENOENT,
         "A thread was inside one interpreter and entered another, and somebody else came into the first meanwhile.");
    own_gil_leave(in_two);
    own_gil_leave(in_one);
    runner_join(visitor.runner);
    end(one);
    end(two);
}

/* A thread that stands still in its first allocation of this kind, wherever that is. */
struct standing {
    struct own_gil *interpreter;
    void (*work)(struct own_gil_thread *thread);
    struct gate stands, go;
    struct runner *runner;
};

static _Thread_local struct standing *standing;

static void stand_still(void *unused)
{
    struct standing *mine = standing;

    (void)unused;
    if (mine == NULL)
        return;
    standing = NULL;
    gate_open(&mine->stands);
    gate_pass(&mine->go);
}

static void stand(void *argument)
{
    struct standing *mine = argument;
    struct own_gil_thread *thread = NULL;

    if (own_gil_enter(mine->interpreter, &thread) != 0)
        return;
    standing = mine;
    mine->work(thread);
    if (standing != NULL) /* it needed no memory, so there was nowhere to stand */
        stand_still(NULL);
    own_gil_leave(thread);
}

static void set_one(struct own_gil_thread *thread)
{
    own_gil_set(thread, "x", 1);
}

static void intern_one(struct own_gil_thread *thread)
{
    own_gil_intern(thread, "spam");
}

/* Whatever one interpreter does, another one does meanwhile. */
static void must_not_wait(void (*work)(struct own_gil_thread *thread))
{
    struct standing mine = {.interpreter = new_interpreter(), .work = work};
    int64_t value;

    wrap_before(WRAP_malloc, stand_still, NULL);
    wrap_before(WRAP_calloc, stand_still, NULL);
    wrap_before(WRAP_realloc, stand_still, NULL);
    mine.runner = runner_start(stand, &mine);
    gate_pass(&mine.stands);
    struct own_gil *other = new_interpreter(); /* from here on everything hangs where there is something shared */
    struct own_gil_thread *thread = enter(other);
    must_return(0, own_gil_set(thread, "y", 1), "own_gil_set");
    must_be(thread, "y", 1);
    must_return(ENOENT, own_gil_get(thread, "x", &value), "own_gil_get of a variable of another interpreter");
    must(own_gil_intern(thread, "eggs") != NULL && own_gil_interned(thread) == 1, "own_gil_intern failed.");
    own_gil_checkpoint(thread);
    own_gil_leave(thread);
    end(other);
    gate_open(&mine.go);
    runner_join(mine.runner);
    end(mine.interpreter);
}

TEST(nobody_waits_for_another, "Wherever a thread stands inside one interpreter, those in another do not wait for it.")
{
    must_not_wait(set_one);
    must_not_wait(intern_one);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

TEST(no_memory,
     "Without memory create, enter and set return ENOMEM and intern NULL, and nothing has changed; get needs "
     "none, also where it fails.")
{
    struct own_gil *interpreter = new_interpreter(), *none = NULL;
    struct own_gil_thread *nobody = NULL;

    wrap_fail_memory(-1);
    int created = own_gil_create(&none), entered = own_gil_enter(interpreter, &nobody);
    wrap_fail_memory(0);
    must_return(ENOMEM, created, "Without memory, own_gil_create");
    must_return(ENOMEM, entered, "Without memory, own_gil_enter");
    struct own_gil_thread *thread = enter(interpreter); /* hangs where the failed one has kept the lock */
    wrap_fail_memory(-1);
    int set = own_gil_set(thread, "x", 1);
    const char *text = own_gil_intern(thread, "spam");
    wrap_fail_memory(0);
    must_return(ENOMEM, set, "Without memory, own_gil_set of a new variable");
    must(text == NULL && own_gil_interned(thread) == 0, "Without memory own_gil_intern should give NULL, and count "
                                                        "nothing.");
    int64_t value = 9;
    must_return(ENOENT, own_gil_get(thread, "x", &value), "own_gil_get of a variable that could not be set");
    must_return(0, own_gil_set(thread, "x", 3), "own_gil_set when there is memory again");
    must_be(thread, "x", 3);
    wrap_fail_memory(-1);
    set = own_gil_set(thread, "x", 4);
    int got = own_gil_get(thread, "y", &value);
    wrap_fail_memory(0);
    must(set == 0 || set == ENOMEM, "Without memory, own_gil_set of a variable that is there returned %s.",
         error_text(set));
    must_be(thread, "x", set == 0 ? 4 : 3);
    must_return(ENOENT, got, "Without memory, own_gil_get of a variable that was never set");
    must(strcmp(own_gil_error(thread), "name 'y' is not defined") == 0,
         "Without memory a variable was not found, and own_gil_error is \"%s\".", own_gil_error(thread));
    own_gil_leave(thread);
    end(interpreter);
}

TEST(ends_with_all_it_has, "An interpreter that ends takes with it all that it has, also while others go on.")
{
    struct own_gil *other = new_interpreter();
    long held = wrap_memory_kept();
    struct own_gil *interpreter = new_interpreter();
    struct own_gil_thread *thread = enter(interpreter);

    must_return(0, own_gil_set(thread, "x", 1), "own_gil_set");
    must_return(0, own_gil_set(thread, "y", 1), "own_gil_set");
    long with_two = wrap_memory_kept();
    for (int i = 0; i < 100; i++)
        own_gil_set(thread, "x", i);
    must(wrap_memory_kept() <= with_two,
         "A variable that is there was set 100 times, and takes more memory each time.");
    must(own_gil_intern(thread, "spam") != NULL, "own_gil_intern failed.");
    own_gil_leave(thread);
    end(interpreter);
    must(wrap_memory_kept() <= held, "An interpreter was ended, and memory of it was not freed.");
    end(other);
}

/* Refuses the nth piece of memory that the lock asks for in own_gil_create. Returns whether it asked for so many. */
static bool create_refused(long nth)
{
    struct own_gil *interpreter = NULL;
    long held = wrap_memory_kept();

    refuse_memory(nth);
    int error = own_gil_create(&interpreter);
    bool refused = refuse_in == 0;
    refuse_memory(0);
    must_return(refused ? ENOMEM : 0, error, "Where gil_create may find no memory, own_gil_create");
    must(!refused || wrap_memory_kept() <= held, "gil_create failed, and own_gil_create kept memory of its own.");
    if (!refused)
        end(interpreter);
    return refused;
}

/* The same for what own_gil_enter asks of the lock. */
static bool enter_refused(struct own_gil *interpreter, long nth)
{
    struct own_gil_thread *thread = NULL;
    long held = wrap_memory_kept();

    refuse_memory(nth);
    int error = own_gil_enter(interpreter, &thread);
    bool refused = refuse_in == 0;
    refuse_memory(0);
    must_return(refused ? ENOMEM : 0, error, "Where gil_thread_create may find no memory, own_gil_enter");
    must(!refused || wrap_memory_kept() <= held, "gil_thread_create failed, and own_gil_enter kept memory of its own.");
    if (!refused)
        own_gil_leave(thread);
    return refused;
}

TEST(no_memory_for_the_lock, "Where the lock finds no memory, own_gil_create and own_gil_enter return its error, keep "
                             "nothing, and nobody is inside.")
{
    struct own_gil *interpreter = new_interpreter();

    for (long nth = 1; create_refused(nth); nth++)
        continue;
    for (long nth = 1; enter_refused(interpreter, nth); nth++)
        continue;
    end(interpreter);
}
