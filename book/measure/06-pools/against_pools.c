/* against_pools.c - our executor and our pool_map beside GLib's GThreadPool, libuv's work queue and OpenMP's tasks.
 *
 * Theory: two threads everywhere. Each workload is run with ours and with all others in turn, ROUNDS times; a figure is
 * the median of a column, and the ratio the median of the rounds' ratios, ours over theirs: what else the machine does
 * concerns all of them. Like is set beside like: one thread hands out all the tasks and waits until the last is done,
 * and the threads exist before the clock starts. Memory that was used once stays with the process, as in a program that
 * has run for a while; or most of what is measured would be the kernel's page faults. After each side there is a rest:
 * OpenMP's threads go on spinning for a while when they have nothing to do, and would slow down whoever comes next.
 *
 * "a result each": GThreadPool has nothing like a future, so its user writes one, with a mutex, a condition and a count
 * of those who need it; libuv calls back in the thread that waits, with memory that its caller brings, and where others
 * are to wait its user writes the same ("with a condition"). OpenMP has neither. An OpenMP task beyond the first
 * hundred or so that wait is not queued: whoever makes it does it on the spot, and nothing is handed over. In "groups
 * of 100" all tasks are: whoever makes them waits after each hundred. pool_map is set beside OpenMP's loop over the
 * same chunks.
 *
 * links: glib-2.0 libuv -fopenmp
 */
#ifdef __clang_analyzer__ /* it looks at the references by themselves, and counts no references of theirs */
#include "executor.h"
#include "pool_map.h"
#else
#define deadline_after fifo_queue_deadline_after
#include "05-queues/fifo_queue.c" /* NOLINT(bugprone-suspicious-include): the references themselves are measured */
#undef deadline_after
#include "06-pools/executor.c" /* NOLINT(bugprone-suspicious-include) */
#include "06-pools/future.c"   /* NOLINT(bugprone-suspicious-include) */
#include "06-pools/pool_map.c" /* NOLINT(bugprone-suspicious-include) */
#endif

#include <glib.h>
#include <malloc.h>
#include <omp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

enum { ROUNDS = 15, TASKS = 20000, WORKERS = 2, SIDES = 4, ITEMS = 400000, REST_NS = 20000000, HEAP_MAX = 256 << 20 };

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
    fprintf(stderr, "against_pools: %s\n", what);
    exit(1);
}

/* ---- the task: so many steps of a generator ---------------------------------------------------------------------- */

static int steps;
static int group = TASKS; /* so many tasks, then it is waited for them */
static unsigned long sinks[TASKS];

static void compute(unsigned long *sink)
{
    unsigned long value = 1;

    for (int i = 0; i < steps; i++)
        value = value * 6364136223846793005UL + 1442695040888963407UL;
    *sink = value;
}

/* ---- the four sides ---------------------------------------------------------------------------------------------- */

static struct executor *executor;
static uv_loop_t *loop;
static uv_work_t requests[TASKS];
static GThreadPool *pool;
static struct {
    GMutex mutex;
    GCond done;
    int left; /* guarded by mutex */
} glib;

static int compute_ours(void *sink, void **result)
{
    (void)result;
    compute(sink);
    return 0;
}

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    int left; /* guarded by mutex */
} ours = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static int compute_and_count(void *sink, void **result)
{
    (void)result;
    compute(sink);
    pthread_mutex_lock(&ours.mutex);
    if (--ours.left == 0)
        pthread_cond_signal(&ours.done);
    pthread_mutex_unlock(&ours.mutex);
    return 0;
}

static void run_executor(void)
{
    for (int first = 0; first < TASKS; first += group) {
        ours.left = group;
        for (int i = first; i < first + group; i++)
            must(executor_submit(executor, compute_and_count, &sinks[i], NULL) == 0, "executor_submit failed");
        pthread_mutex_lock(&ours.mutex);
        while (ours.left > 0)
            pthread_cond_wait(&ours.done, &ours.mutex);
        pthread_mutex_unlock(&ours.mutex);
    }
}

static void run_futures(void)
{
    static struct future *futures[TASKS];

    for (int i = 0; i < TASKS; i++)
        must(executor_submit(executor, compute_ours, &sinks[i], &futures[i]) == 0, "executor_submit failed");
    for (int i = 0; i < TASKS; i++) {
        must(future_result(futures[i], -1, NULL) == 0, "a task failed");
        future_drop(futures[i]);
    }
}

/* Nobody tells when all is done: a count, a mutex and a condition do, as with ours where no futures are wanted. */
static void compute_glib(gpointer sink, gpointer unused)
{
    (void)unused;
    compute(sink);
    g_mutex_lock(&glib.mutex);
    if (--glib.left == 0)
        g_cond_signal(&glib.done);
    g_mutex_unlock(&glib.mutex);
}

static void run_glib(void)
{
    for (int first = 0; first < TASKS; first += group) {
        glib.left = group;
        for (int i = first; i < first + group; i++)
            must(g_thread_pool_push(pool, &sinks[i], NULL), "g_thread_pool_push failed");
        g_mutex_lock(&glib.mutex);
        while (glib.left > 0)
            g_cond_wait(&glib.done, &glib.mutex);
        g_mutex_unlock(&glib.mutex);
    }
}

/* What a user of GThreadPool writes who wants each result by itself. */
struct promise {
    GMutex mutex;
    GCond done;
    bool is_done; /* guarded by mutex, as is users */
    int users;    /* who made it, and who does it */
    unsigned long result;
};

static GThreadPool *promise_pool;

static void promise_leave(struct promise *promise)
{
    g_mutex_lock(&promise->mutex);
    bool last = --promise->users == 0;
    g_mutex_unlock(&promise->mutex);
    if (!last)
        return;
    g_cond_clear(&promise->done);
    g_mutex_clear(&promise->mutex);
    g_free(promise);
}

static struct promise *promise_make(void)
{
    struct promise *promise = g_new0(struct promise, 1);

    g_mutex_init(&promise->mutex);
    g_cond_init(&promise->done);
    promise->users = 2;
    return promise;
}

/* Does the task. */
static void promise_keep(struct promise *promise)
{
    unsigned long result = 0;

    compute(&result);
    g_mutex_lock(&promise->mutex);
    promise->result = result;
    promise->is_done = true;
    g_cond_broadcast(&promise->done);
    g_mutex_unlock(&promise->mutex);
}

static void promise_keep_glib(gpointer promise, gpointer unused)
{
    (void)unused;
    promise_keep(promise);
    promise_leave(promise);
}

/* Waits for the result. */
static void promise_take(struct promise *promise, unsigned long *result)
{
    g_mutex_lock(&promise->mutex);
    while (!promise->is_done)
        g_cond_wait(&promise->done, &promise->mutex);
    *result = promise->result;
    g_mutex_unlock(&promise->mutex);
    promise_leave(promise);
}

static void run_glib_results(void)
{
    static struct promise *promises[TASKS];

    for (int i = 0; i < TASKS; i++) {
        promises[i] = promise_make();
        must(g_thread_pool_push(promise_pool, promises[i], NULL), "g_thread_pool_push failed");
    }
    for (int i = 0; i < TASKS; i++)
        promise_take(promises[i], &sinks[i]);
}

static void compute_uv(uv_work_t *request)
{
    compute(request->data);
}

static void done_uv(uv_work_t *request, int status)
{
    (void)request;
    must(status == 0, "a task of libuv failed");
}

static void free_uv(uv_work_t *request, int status)
{
    must(status == 0, "a task of libuv failed");
    free(request);
}

static void run_uv_results(void)
{
    for (int i = 0; i < TASKS; i++) {
        uv_work_t *request = malloc(sizeof *request);
        must(request != NULL, "no memory");
        request->data = &sinks[i];
        must(uv_queue_work(loop, request, compute_uv, free_uv) == 0, "uv_queue_work failed");
    }
    uv_run(loop, UV_RUN_DEFAULT);
}

/* What a user of libuv writes who wants that any thread may wait for each result: the same struct. The memory of a
 * request is libuv's until it has called back. */
struct promised {
    uv_work_t request; /* the first member */
    struct promise *promise;
};

static void promise_keep_uv(uv_work_t *request)
{
    promise_keep(((struct promised *)request)->promise);
}

static void promised_over(uv_work_t *request, int status)
{
    must(status == 0, "a task of libuv failed");
    promise_leave(((struct promised *)request)->promise);
    free(request);
}

static struct promise *promise_uv(void)
{
    struct promise *promise = promise_make();
    struct promised *promised = malloc(sizeof *promised);

    must(promised != NULL, "no memory");
    promised->promise = promise;
    must(uv_queue_work(loop, &promised->request, promise_keep_uv, promised_over) == 0, "uv_queue_work failed");
    return promise;
}

static void run_uv_promises(void)
{
    static struct promise *promises[TASKS];

    for (int i = 0; i < TASKS; i++)
        promises[i] = promise_uv();
    for (int i = 0; i < TASKS; i++)
        promise_take(promises[i], &sinks[i]);
    uv_run(loop, UV_RUN_DEFAULT);
}

static void run_uv(void)
{
    for (int first = 0; first < TASKS; first += group) {
        for (int i = first; i < first + group; i++) {
            requests[i].data = &sinks[i];
            must(uv_queue_work(loop, &requests[i], compute_uv, done_uv) == 0, "uv_queue_work failed");
        }
        uv_run(loop, UV_RUN_DEFAULT);
    }
}

static void run_omp(void)
{
#pragma omp parallel num_threads(WORKERS)
#pragma omp single
    for (int first = 0; first < TASKS; first += group) {
        for (int i = first; i < first + group; i++) {
#pragma omp task firstprivate(i)
            compute(&sinks[i]);
        }
#pragma omp taskwait
    }
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static int numbers[ITEMS];
static unsigned long squares[ITEMS];

static int square(const void *item, void *result)
{
    unsigned long value = (unsigned long)*(const int *)item;

    for (int i = 0; i < steps; i++)
        value = value * 6364136223846793005UL + 1442695040888963407UL;
    *(unsigned long *)result = value;
    return 0;
}

static void run_map(void)
{
    must(pool_map(executor, square, numbers, sizeof numbers[0], ITEMS, squares, sizeof squares[0]) == 0,
         "pool_map failed");
}

static void run_omp_loop(void)
{
    size_t chunk = pool_map_chunk(ITEMS, WORKERS);

    (void)chunk; /* to a compiler that does not know the next line */
#pragma omp parallel for num_threads(WORKERS) schedule(dynamic, chunk)
    for (size_t i = 0; i < ITEMS; i++)
        (void)square(&numbers[i], &squares[i]);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof values[0], by_size);
    return values[ROUNDS / 2];
}

static void rest(void)
{
    nanosleep(&(struct timespec){0, REST_NS}, NULL);
}

/* Ours is the first of the sides; one line for each other one. */
static void compare(const char *what, const char *const *names, void (*const *sides)(void), int count, int units)
{
    double times_ns[SIDES][ROUNDS], ratios[SIDES][ROUNDS];

    for (int round = 0; round < ROUNDS; round++) {
        for (int side = 0; side < count; side++) {
            double began_us = now_us();
            sides[side]();
            times_ns[side][round] = (now_us() - began_us) * 1e3 / units;
            ratios[side][round] = times_ns[0][round] / times_ns[side][round];
            rest();
        }
    }
    double ours_ns = median(times_ns[0]);
    for (int side = 1; side < count; side++)
        printf("%s, %s\t%.1f\t%.1f\t%.2f\n", what, names[side], ours_ns, median(times_ns[side]), median(ratios[side]));
}

int main(void)
{
    static const char *const task_names[SIDES] = {"ours", "GThreadPool", "libuv", "OpenMP"};
    static void (*const task_sides[SIDES])(void) = {run_executor, run_glib, run_uv, run_omp};
    static const char *const result_names[SIDES] = {"ours", "GThreadPool", "libuv with a condition", "libuv"};
    static void (*const result_sides[SIDES])(void) = {run_futures, run_glib_results, run_uv_promises, run_uv_results};
    static void (*const loop_sides[2])(void) = {run_map, run_omp_loop};
    static const char *const loop_names[2] = {"ours", "OpenMP"};

    mallopt(M_TRIM_THRESHOLD, HEAP_MAX);
    mallopt(M_MMAP_THRESHOLD, HEAP_MAX);
    setenv("UV_THREADPOOL_SIZE", "2", 1);
    loop = uv_default_loop();
    pool = g_thread_pool_new(compute_glib, NULL, WORKERS, TRUE, NULL);
    promise_pool = g_thread_pool_new(promise_keep_glib, NULL, WORKERS, TRUE, NULL);
    must(pool != NULL && promise_pool != NULL && executor_create(&executor, WORKERS) == 0, "a pool could not be made");
    for (int i = 0; i < ITEMS; i++)
        numbers[i] = i;
    for (int side = 0; side < SIDES; side++)
        task_sides[side](); /* all threads are started now */

    puts("what\tours_ns\ttheirs_ns\tratio");
    steps = 0;
    compare("empty", task_names, task_sides, SIDES, TASKS);
    group = 100;
    compare("groups of 100", task_names, task_sides, SIDES, TASKS);
    group = TASKS;
    compare("a result each", result_names, result_sides, SIDES, TASKS);
    steps = 2000;
    compare("2,000 steps", task_names, task_sides, SIDES, TASKS);
    steps = 20;
    compare("a loop", loop_names, loop_sides, 2, ITEMS);
    executor_destroy(executor);
    g_thread_pool_free(promise_pool, FALSE, TRUE);
    g_thread_pool_free(pool, FALSE, TRUE);
    return 0;
}
