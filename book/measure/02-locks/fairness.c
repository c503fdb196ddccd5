/* fairness.c - who gets the lock, and what fairness costs: a pthread mutex against the fair lock of this chapter.
 *
 * Theory: three threads take the lock, work a little with it, release it, and want it again at once, for SPAN_MS. The
 * order in which they got it is written down by the holder. From that order: how often a second the lock was taken, how
 * many times in a row the same thread got it, and the longest time that a thread waited while others went in.
 */
#include "02-locks/fair_lock.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

#include <stdio.h>

enum { THREADS = 3, SPAN_MS = 700, WORK = 300, ROUNDS = 3 };

struct contest {
    bool fair;
    pthread_mutex_t mutex;
    struct fair_lock *lock;
    pthread_barrier_t begin;
    /* guarded by the lock, as all below: written by its holder */
    long taken, in_a_row, runs, longest_row;
    int last;
    double end_ns;
    double longest_wait_ns;
};

struct contestant {
    struct contest *contest;
    int number;
};

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* With the lock held. */
static void write_down(struct contest *contest, int number, double waited_ns)
{
    contest->taken++;
    contest->in_a_row = contest->last == number ? contest->in_a_row + 1 : 1;
    contest->runs += contest->last != number;
    contest->last = number;
    if (contest->in_a_row > contest->longest_row)
        contest->longest_row = contest->in_a_row;
    if (waited_ns > contest->longest_wait_ns)
        contest->longest_wait_ns = waited_ns;
    for (volatile int i = 0; i < WORK; i++)
        ;
}

static void *compete(void *argument)
{
    struct contestant *me = argument;
    struct contest *contest = me->contest;

    pthread_barrier_wait(&contest->begin);
    for (double now = now_ns(); now < contest->end_ns;) {
        if (contest->fair)
            fair_lock_acquire(contest->lock, -1);
        else
            pthread_mutex_lock(&contest->mutex);
        double got_ns = now_ns();
        write_down(contest, me->number, got_ns - now);
        if (contest->fair)
            fair_lock_release(contest->lock);
        else
            pthread_mutex_unlock(&contest->mutex);
        now = now_ns();
    }
    return NULL;
}

static void run(struct contest *contest, bool fair)
{
    struct contestant contestants[THREADS];
    pthread_t threads[THREADS];

    *contest = (struct contest){.fair = fair, .mutex = PTHREAD_MUTEX_INITIALIZER, .last = -1};
    if (fair_lock_create(&contest->lock) != 0)
        exit(1);
    pthread_barrier_init(&contest->begin, NULL, THREADS);
    contest->end_ns = now_ns() + SPAN_MS * 1e6;
    for (int i = 0; i < THREADS; i++) {
        contestants[i] = (struct contestant){contest, i};
        if (pthread_create(&threads[i], NULL, compete, &contestants[i]) != 0)
            exit(1);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&contest->begin);
    fair_lock_destroy(contest->lock);
}

static int by_speed(const void *left, const void *right)
{
    const struct contest *one = left, *other = right;

    return (one->taken > other->taken) - (one->taken < other->taken);
}

static void measure(const char *name, bool fair)
{
    struct contest rounds[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        run(&rounds[i], fair);
    qsort(rounds, ROUNDS, sizeof *rounds, by_speed);
    const struct contest *middle = &rounds[ROUNDS / 2];
    printf("%s\t%.0f\t%.1f\t%ld\t%.3f\n", name, (double)middle->taken / (SPAN_MS / 1000.0),
           (double)middle->taken / (double)middle->runs, middle->longest_row, middle->longest_wait_ns / 1e6);
}

int main(void)
{
    puts("lock\ttaken_per_s\tmean_row\tlongest_row\tlongest_wait_ms");
    measure("pthread mutex", false);
    measure("our fair lock", true);
    return 0;
}
