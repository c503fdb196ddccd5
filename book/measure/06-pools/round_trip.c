/* round_trip.c - one task there and its result back, and then the next: our executor and its futures, CPython's, and
 * what C programs use.
 *
 * Theory: one worker, which is asleep when the task comes, and one thread that waits for the result. So a round trip is
 * two wake-ups and what else is done for a task; each figure is the median of ROUNDS rounds of TRIPS trips, and the
 * sides take turns. Python measures itself, with as many trips; where there is no python3 its row is missing.
 *
 * links: glib-2.0 libuv
 */
#ifdef __clang_analyzer__ /* it looks at the references by themselves, and counts no references of theirs */
#include "executor.h"
#else
#define deadline_after fifo_queue_deadline_after
#include "05-queues/fifo_queue.c" /* NOLINT(bugprone-suspicious-include): the references themselves are measured */
#undef deadline_after
#include "06-pools/executor.c" /* NOLINT(bugprone-suspicious-include) */
#include "06-pools/future.c"   /* NOLINT(bugprone-suspicious-include) */
#endif

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { ROUNDS = 9, TRIPS = 3000, SIDES = 4 };

static const char script[] = "import statistics, time\n"
                             "from concurrent.futures import ThreadPoolExecutor\n"
                             "def task(): return 7\n"
                             "def trips():\n"
                             "    begin = time.perf_counter()\n"
                             "    for _ in range(3000): pool.submit(task).result()\n"
                             "    return (time.perf_counter() - begin) / 3000 * 1e6\n"
                             "with ThreadPoolExecutor(1) as pool:\n"
                             "    print(statistics.median(trips() for _ in range(5)))\n";

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "round_trip: %s\n", what);
    exit(1);
}

/* ---- ours -------------------------------------------------------------------------------------------------------- */

static struct executor *executor;

/* region task */
static int give_back(void *argument, void **result)
{
    *result = argument;
    return 0;
}
/* end task */

/* region trip */
static void trip_executor(void)
{
    struct future *future = NULL;
    void *result = NULL;

    must(executor_submit(executor, give_back, &executor, &future) == 0, "executor_submit failed");
    must(future_result(future, -1, &result) == 0 && result == &executor, "a task failed");
    future_drop(future);
}
/* end trip */

/* ---- a future by hand: what a C program writes who has none -------------------------------------------------------
 */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool asked, answered, over; /* guarded by mutex */
} hand = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false, false};

static void *answer(void *unused)
{
    pthread_mutex_lock(&hand.mutex);
    for (;;) {
        while (!hand.asked && !hand.over)
            pthread_cond_wait(&hand.changed, &hand.mutex);
        if (hand.over)
            break;
        hand.asked = false;
        hand.answered = true;
        pthread_cond_broadcast(&hand.changed);
    }
    pthread_mutex_unlock(&hand.mutex);
    return unused;
}

static void trip_by_hand(void)
{
    pthread_mutex_lock(&hand.mutex);
    hand.asked = true;
    pthread_cond_broadcast(&hand.changed);
    while (!hand.answered)
        pthread_cond_wait(&hand.changed, &hand.mutex);
    hand.answered = false;
    pthread_mutex_unlock(&hand.mutex);
}

/* ---- GLib and libuv ---------------------------------------------------------------------------------------------- */

static GThreadPool *pool;
static GAsyncQueue *answers;
static uv_loop_t *loop;

static void answer_glib(gpointer task, gpointer unused)
{
    (void)unused;
    g_async_queue_push(answers, task);
}

static void trip_glib(void)
{
    must(g_thread_pool_push(pool, &pool, NULL), "g_thread_pool_push failed");
    must(g_async_queue_pop(answers) == &pool, "GLib gave another answer");
}

static void nothing_uv(uv_work_t *request)
{
    (void)request;
}

static void done_uv(uv_work_t *request, int status)
{
    (void)request;
    must(status == 0, "a task of libuv failed");
}

static void trip_uv(void)
{
    uv_work_t request;

    must(uv_queue_work(loop, &request, nothing_uv, done_uv) == 0, "uv_queue_work failed");
    uv_run(loop, UV_RUN_DEFAULT);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Runs the script. Returns the microseconds it printed, or a negative number where there is no python3. */
static double python_us(void)
{
    int ends[2];
    double trip_us = -1;
    char line[64];

    fflush(stdout);
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("python3", "python3", "-c", script, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *lines = fdopen(ends[0], "r");
    if (lines != NULL && fgets(line, sizeof line, lines) != NULL)
        trip_us = strtod(line, NULL);
    if (lines != NULL)
        fclose(lines);
    waitpid(child, NULL, 0);
    return trip_us;
}

int main(void)
{
    static const char *const names[SIDES] = {"our executor", "a mutex and a condition", "GThreadPool", "libuv"};
    static void (*const trips[SIDES])(void) = {trip_executor, trip_by_hand, trip_glib, trip_uv};
    double times_us[SIDES][ROUNDS];
    double of_python_us = python_us();
    pthread_t thread;

    setenv("UV_THREADPOOL_SIZE", "1", 1);
    loop = uv_default_loop();
    answers = g_async_queue_new();
    pool = g_thread_pool_new(answer_glib, NULL, 1, TRUE, NULL);
    must(pool != NULL && executor_create(&executor, 1) == 0 && pthread_create(&thread, NULL, answer, NULL) == 0,
         "a pool could not be made");
    for (int round = 0; round < ROUNDS; round++) {
        for (int side = 0; side < SIDES; side++) {
            double began_us = now_us();
            for (int i = 0; i < TRIPS; i++)
                trips[side]();
            times_us[side][round] = (now_us() - began_us) / TRIPS;
        }
    }
    puts("what\tround_trip_us");
    for (int side = 0; side < SIDES; side++) {
        qsort(times_us[side], ROUNDS, sizeof(double), by_size);
        printf("%s\t%.2f\n", names[side], times_us[side][ROUNDS / 2]);
    }
    if (of_python_us >= 0)
        printf("Python\t%.2f\n", of_python_us);
    pthread_mutex_lock(&hand.mutex);
    hand.over = true;
    pthread_cond_broadcast(&hand.changed);
    pthread_mutex_unlock(&hand.mutex);
    pthread_join(thread, NULL);
    executor_destroy(executor);
    g_thread_pool_free(pool, FALSE, TRUE);
    g_async_queue_unref(answers);
    return 0;
}
