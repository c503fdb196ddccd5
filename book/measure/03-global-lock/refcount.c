/* refcount.c - what it costs to count a reference and give it up again: in one thread, and in two at the same time.
 *
 * "owner" and "another" are the two halves of the biased count. In two threads each owner counts an object of its own;
 * in all other cases both count the same one, which a plain number cannot bear, so it is missing there. Medians, in
 * nanoseconds of processor time for a pair of calls of one thread: who waits for a mutex asleep does not pay for that
 * here.
 */
#include "03-global-lock/biased_refcount.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

#include <stdio.h>
#include <time.h>

enum { PAIRS = 2 * 1000 * 1000, ROUNDS = 5, WAYS = 5 };

static const char *const ways[WAYS] = {"plain", "owner", "another", "atomic", "mutex"};

struct bench {
    int way;
    pthread_barrier_t *begin;
    double took_ns;
    long *plain;                           /* a number on the heap, as the counts of an object are */
    struct biased_refcount_thread *thread; /* its own */
    struct biased_refcount *object;
};

/* What both threads count in. */
static long guarded; /* by mutex */
static atomic_long counted;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The compiler must really read and write, and may not join the two halves. */
static inline void not_at_once(void)
{
    __asm__ volatile("" ::: "memory");
}

static void pair_plain(long *count)
{
    ++*count;
    not_at_once();
    --*count;
    not_at_once();
}

static void pair_atomic(void)
{
    atomic_fetch_add(&counted, 1);
    atomic_fetch_sub(&counted, 1);
}

static void pair_mutex(void)
{
    pthread_mutex_lock(&mutex);
    guarded++;
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    guarded--;
    pthread_mutex_unlock(&mutex);
}

static void pair_biased(const struct bench *bench)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the first reference, not counted here, keeps it alive */
    biased_refcount_incref(bench->thread, bench->object);
    not_at_once();
    biased_refcount_decref(bench->thread, bench->object);
    not_at_once();
}

static void pair(const struct bench *bench)
{
    if (bench->way == 0)
        pair_plain(bench->plain);
    else if (bench->way == 3)
        pair_atomic();
    else if (bench->way == 4)
        pair_mutex();
    else
        pair_biased(bench);
}

static void *run(void *argument)
{
    struct bench *bench = argument;

    pthread_barrier_wait(bench->begin);
    double began_ns = now_ns();
    for (int i = 0; i < PAIRS; i++)
        pair(bench);
    bench->took_ns = (now_ns() - began_ns) / PAIRS;
    return NULL;
}

static void nothing(void *value)
{
    (void)value;
}

/* One round of `count` threads; the mean of what a pair cost them. */
static double round_ns(int way, int count)
{
    struct biased_refcount_threads *set;
    struct biased_refcount_thread *maker;
    struct biased_refcount *shared, *own[2];
    struct bench benches[2];
    pthread_t threads[2];
    pthread_barrier_t begin;
    double sum_ns = 0;

    pthread_barrier_init(&begin, NULL, (unsigned)count);
    if (biased_refcount_threads_create(&set) != 0 || biased_refcount_join(set, &maker) != 0 ||
        biased_refcount_create(maker, nothing, NULL, &shared) != 0)
        exit(1);
    for (int i = 0; i < count; i++) {
        benches[i] = (struct bench){.way = way, .begin = &begin, .plain = calloc(1, 64)};
        if (benches[i].plain == NULL || biased_refcount_join(set, &benches[i].thread) != 0 ||
            biased_refcount_create(benches[i].thread, nothing, NULL, &own[i]) != 0)
            exit(1);
        benches[i].object = way == 1 ? own[i] : shared;
        biased_refcount_incref(benches[i].thread, benches[i].object); /* so that the shared count does not come to 0 */
        if (pthread_create(&threads[i], NULL, run, &benches[i]) != 0)
            exit(1);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        sum_ns += benches[i].took_ns;
        free(benches[i].plain);
        biased_refcount_decref(benches[i].thread, benches[i].object);
        biased_refcount_decref(benches[i].thread, own[i]);
        biased_refcount_leave(benches[i].thread);
    }
    biased_refcount_merge(maker);
    biased_refcount_decref(maker, shared);
    biased_refcount_leave(maker);
    biased_refcount_threads_destroy(set);
    pthread_barrier_destroy(&begin);
    return sum_ns / count;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median_ns(int way, int count)
{
    double costs_ns[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        costs_ns[i] = round_ns(way, count);
    qsort(costs_ns, ROUNDS, sizeof costs_ns[0], by_size);
    return costs_ns[ROUNDS / 2];
}

int main(void)
{
    printf("count\talone_ns\ttwo_ns\n");
    for (int way = 0; way < WAYS; way++) {
        printf("%s\t%.2f\t", ways[way], median_ns(way, 1));
        if (way == 0)
            printf("-\n");
        else
            printf("%.2f\n", median_ns(way, 2));
    }
    return 0;
}
