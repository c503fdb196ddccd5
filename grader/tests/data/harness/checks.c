/* checks.c - tests of check.h and wrap.h, in the shape of an exercise's tests.c. wrap_NAME stands for what the linker
 * makes of a student's calls. All must pass. */
#include "check.h"
#include "wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *wrap_malloc(size_t size);
void *wrap_calloc(size_t count, size_t size);
void wrap_free(void *memory);
int wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int go_on = 1;

static void lock_and_unlock(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void spin(void *unused)
{
    (void)unused;
    while (go_on)
        continue;
}

static void poll_for_it(void *unused)
{
    (void)unused;
    while (go_on)
        usleep(10);
}

TEST(blocked_and_done, "A runner that waits for a lock is blocked, and done after.")
{
    pthread_mutex_lock(&mutex);
    struct runner *runner = runner_start(lock_and_unlock, NULL);
    must_be_blocked(runner, "it is not blocked");
    must(extra_threads() == 1, "%d threads more", extra_threads());
    pthread_mutex_unlock(&mutex);
    must_be_done(runner, "it is not done");
    must(extra_threads() == 0, "%d threads more", extra_threads());
    must(settle(), "something runs");
    runner_join(runner);
}

TEST(spinning_is_busy, "A runner that spins is busy.")
{
    struct runner *runner = runner_start(spin, NULL);

    must(runner_state(runner) == RUNNER_BUSY, "it is not busy");
    must(!settle(), "nothing runs");
    go_on = 0;
    must_be_done(runner, "it is not done");
    runner_join(runner);
}

TEST(polling_is_busy, "A runner that polls is busy.")
{
    struct runner *runner = runner_start(poll_for_it, NULL);

    must(runner_state(runner) == RUNNER_BUSY, "it is not busy");
    go_on = 0;
    must_be_done(runner, "it is not done");
    runner_join(runner);
}

struct chain {
    struct gate gates[9];
    int at;
};

/* Each passes its gate and opens the next: the dust settles only after the last. */
static void link_of_chain(void *argument)
{
    struct chain *chain = argument;
    int own = __atomic_fetch_add(&chain->at, 1, __ATOMIC_ACQ_REL);

    gate_pass(&chain->gates[own]);
    gate_open(&chain->gates[own + 1]);
}

TEST(settle_waits_for_a_chain, "settle() returns when nothing will change any more.")
{
    struct chain chain = {{GATE_CLOSED}, 0};
    struct runner *runners[8];

    for (int i = 0; i < 8; i++)
        runners[i] = runner_start(link_of_chain, &chain);
    must(settle(), "it does not settle");
    must(chain.at == 8, "%d have begun", chain.at);
    gate_open(&chain.gates[0]);
    for (int i = 0; i < 8; i++)
        must_be_done(runners[i], "link %d is not done", i);
    for (int i = 0; i < 8; i++)
        runner_join(runners[i]);
}

TEST(descriptors_are_counted, "extra_descriptors() is what was opened.")
{
    must(extra_descriptors() == 0, "%d", extra_descriptors());
    int fd = open("/dev/null", O_RDONLY);
    must(extra_descriptors() == 1, "%d", extra_descriptors());
    close(fd);
    must(extra_descriptors() == 0, "%d", extra_descriptors());
}

TEST(nothing_of_the_grader_is_inherited, "A test finds neither the grader's descriptors nor its key.")
{
    must(getenv("INTERLEAVE_EVENTS") == NULL, "the environment names them");
}

TEST(errors_have_names, "An error is called by its name, with its number behind it.")
{
    char words[128];

    snprintf(words, sizeof words, "%s, %s, %s, %s", error_text(ETIMEDOUT), error_text(0), error_text(12345),
             error_text(EINVAL));
    must(strcmp(words, "ETIMEDOUT (110), 0, 12345, EINVAL (22)") == 0, "%s", words);
}

TEST(wrapped_calls_pass_through, "A wrapped call does what the real one does, and is counted.")
{
    char *memory = wrap_calloc(3, 5);

    must(memory != NULL && memory[14] == 0, "no zeroed memory");
    strcpy(memory, "fifteen bytes.");
    wrap_free(memory);
    must(wrap_count(WRAP_calloc) == 1 && wrap_count(WRAP_free) == 1 && wrap_count(WRAP_malloc) == 0, "miscounted");
}

TEST(wrapped_calls_fail_as_planned, "The nth call from now fails, or every one.")
{
    wrap_fail(WRAP_malloc, 2, ENOMEM);
    void *first = wrap_malloc(1), *second = wrap_malloc(1);
    must(first != NULL && second == NULL && errno == ENOMEM, "the second should fail");
    void *third = wrap_malloc(1);
    must(third != NULL, "only the second should fail");
    wrap_fail(WRAP_pthread_mutex_lock, -1, EINVAL);
    must(wrap_pthread_mutex_lock(&mutex) == EINVAL && wrap_pthread_mutex_lock(&mutex) == EINVAL, "all should fail");
    wrap_fail(WRAP_pthread_mutex_lock, 0, 0);
    must(wrap_pthread_mutex_lock(&mutex) == 0, "no plan is left");
    must(wrap_pthread_mutex_unlock(&mutex) == 0, "cannot unlock");
    must(wrap_count(WRAP_pthread_mutex_lock) == 3, "failures are counted too");
    wrap_free(first);
    wrap_free(third);
}

static void note(void *argument)
{
    int *notes = argument;

    *notes = 10 * *notes + 1;
    free(wrap_malloc(1)); /* a hook's own calls are nobody's business */
}

static void note_after(void *argument)
{
    int *notes = argument;

    *notes = 10 * *notes + 2;
}

TEST(hooks_run_around_calls, "Hooks run before, and after where the call succeeded.")
{
    int notes = 0;

    wrap_before(WRAP_malloc, note, &notes);
    wrap_after(WRAP_malloc, note_after, &notes);
    void *memory = wrap_malloc(1);
    must(notes == 12, "%d", notes);
    must(wrap_count(WRAP_malloc) == 1, "%ld", wrap_count(WRAP_malloc));
    wrap_fail(WRAP_malloc, 1, ENOMEM);
    must(wrap_malloc(1) == NULL && notes == 12, "%d", notes);
    wrap_before(WRAP_malloc, NULL, NULL);
    wrap_after(WRAP_malloc, NULL, NULL);
    wrap_free(wrap_malloc(1));
    must(notes == 12, "%d", notes);
    wrap_free(memory);
}
