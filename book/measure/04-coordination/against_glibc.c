/* against_glibc.c - our semaphore, event and barrier beside what the C library has, and beside the plainest thing that
 * one could write by hand with its mutex and condition.
 *
 * Theory: each workload is run with ours and with the other one in turn, ROUNDS times, and the ratio of a round is ours
 * over theirs: what else the machine does concerns both. A figure is the median of the rounds. Like is set beside like:
 * "alone" is one thread that nobody waits for; "in turn" two threads that wake each other; "meet" threads that meet. A
 * sem_t alone makes no lock and no call, which nothing built from a mutex can; that is for coordination_cost.c.
 */
#include "references.h"

#include <semaphore.h>
#include <stdio.h>

enum { ROUNDS = 15, ALONE = 60000, TURNS = 1500, MEETINGS = 1200, THREADS_MAX = 4 };

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- by hand ----------------------------------------------------------------------------------------------------- */

struct plain {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    long value; /* guarded by mutex, as is round: permits, or a flag, or those who have arrived */
    long round;
};
#define PLAIN                                                                                                          \
    {                                                                                                                  \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                                        \
    }

static void plain_take(struct plain *plain)
{
    pthread_mutex_lock(&plain->mutex);
    while (plain->value == 0)
        pthread_cond_wait(&plain->changed, &plain->mutex);
    plain->value--;
    pthread_mutex_unlock(&plain->mutex);
}

static void plain_give(struct plain *plain)
{
    pthread_mutex_lock(&plain->mutex);
    plain->value++;
    pthread_cond_signal(&plain->changed);
    pthread_mutex_unlock(&plain->mutex);
}

static void plain_set(struct plain *plain)
{
    pthread_mutex_lock(&plain->mutex);
    plain->value = 1;
    pthread_cond_broadcast(&plain->changed);
    pthread_mutex_unlock(&plain->mutex);
}

static void plain_clear(struct plain *plain)
{
    pthread_mutex_lock(&plain->mutex);
    plain->value = 0;
    pthread_mutex_unlock(&plain->mutex);
}

static void plain_wait(struct plain *plain)
{
    pthread_mutex_lock(&plain->mutex);
    while (plain->value == 0)
        pthread_cond_wait(&plain->changed, &plain->mutex);
    pthread_mutex_unlock(&plain->mutex);
}

static void plain_meet(struct plain *plain, long parties)
{
    pthread_mutex_lock(&plain->mutex);
    long round = plain->round;
    if (++plain->value == parties) {
        plain->value = 0;
        plain->round++;
        pthread_cond_broadcast(&plain->changed);
    }
    while (plain->round == round)
        pthread_cond_wait(&plain->changed, &plain->mutex);
    pthread_mutex_unlock(&plain->mutex);
}

/* ---- one of each ------------------------------------------------------------------------------------------------- */

/* Two of each kind, one for each direction; and the barriers for two and for four. */
static struct {
    struct semaphore *semaphores[2];
    struct event *events[2];
    struct barrier *barriers[2];
    sem_t posix[2];
    pthread_barrier_t pthread[2];
    struct plain plain[2];
} things = {.plain = {PLAIN, PLAIN}};

static void ours_take(int i)
{
    semaphore_acquire(things.semaphores[i], true, -1);
}

static void ours_give(int i)
{
    semaphore_release(things.semaphores[i], 1);
}

static void posix_take(int i)
{
    while (sem_wait(&things.posix[i]) != 0)
        continue;
}

static void posix_give(int i)
{
    sem_post(&things.posix[i]);
}

static void hand_take(int i)
{
    plain_take(&things.plain[i]);
}

static void hand_give(int i)
{
    plain_give(&things.plain[i]);
}

static void event_take(int i)
{
    event_wait(things.events[i], -1);
    event_clear(things.events[i]);
}

static void event_give(int i)
{
    event_set(things.events[i]);
}

static void flag_take(int i)
{
    plain_wait(&things.plain[i]);
    plain_clear(&things.plain[i]);
}

static void flag_give(int i)
{
    plain_set(&things.plain[i]);
}

static void ours_meet(int i)
{
    barrier_wait(things.barriers[i], -1, NULL);
}

static void posix_meet(int i)
{
    pthread_barrier_wait(&things.pthread[i]);
}

static void hand_meet(int i)
{
    plain_meet(&things.plain[i], i == 0 ? 2 : 4);
}

/* ---- workloads --------------------------------------------------------------------------------------------------- */

/* What is measured: taking and giving, or meeting (then `give` is NULL). */
struct kind {
    const char *name;
    void (*take)(int i);
    void (*give)(int i);
};

static double alone_ns(const struct kind *kind)
{
    double began_ns = now_ns();

    for (int i = 0; i < ALONE; i++) {
        kind->give(0);
        kind->take(0);
    }
    return (now_ns() - began_ns) / ALONE;
}

static void *answer(void *argument)
{
    const struct kind *kind = argument;

    for (int i = 0; i < TURNS; i++) {
        kind->take(0);
        kind->give(1);
    }
    return NULL;
}

static pthread_t start(void *(*body)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, argument) != 0) {
        fputs("against_glibc: no thread\n", stderr);
        exit(1);
    }
    return thread;
}

static double in_turn_ns(const struct kind *kind)
{
    pthread_t thread = start(answer, (void *)kind);
    double began_ns = now_ns();

    for (int i = 0; i < TURNS; i++) {
        kind->give(0);
        kind->take(1);
    }
    double took_ns = now_ns() - began_ns;
    pthread_join(thread, NULL);
    return took_ns / TURNS;
}

struct meeter {
    const struct kind *kind;
    int which;
};

static void *meet(void *argument)
{
    const struct meeter *meeter = argument;

    for (int i = 0; i < MEETINGS; i++)
        meeter->kind->take(meeter->which);
    return NULL;
}

static double meet_ns(const struct kind *kind, int which)
{
    struct meeter meeter = {kind, which};
    pthread_t threads[THREADS_MAX];
    int count = which == 0 ? 2 : 4;
    double began_ns = now_ns();

    for (int i = 0; i < count; i++)
        threads[i] = start(meet, &meeter);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return (now_ns() - began_ns) / MEETINGS;
}

static double two_meet_ns(const struct kind *kind)
{
    return meet_ns(kind, 0);
}

static double four_meet_ns(const struct kind *kind)
{
    return meet_ns(kind, 1);
}

/* ---- side by side ------------------------------------------------------------------------------------------------ */

static int by_size(const void *left, const void *right)
{
    const double one = *(const double *)left, other = *(const double *)right;

    return (one > other) - (one < other);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_size);
    return values[ROUNDS / 2];
}

static void compare(const char *what, double (*workload)(const struct kind *), const struct kind *ours,
                    const struct kind *theirs)
{
    double ours_ns[ROUNDS], theirs_ns[ROUNDS], ratios[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        ours_ns[i] = workload(ours);
        theirs_ns[i] = workload(theirs);
        ratios[i] = ours_ns[i] / theirs_ns[i];
    }
    printf("%s\t%s\t%.1f\t%.1f\t%.3f\n", what, theirs->name, median(ours_ns), median(theirs_ns), median(ratios));
    fflush(stdout);
}

static void make_things(void)
{
    bool made = true;

    for (int i = 0; i < 2; i++) {
        made = made && semaphore_create(&things.semaphores[i], 0) == 0 && event_create(&things.events[i]) == 0;
        made = made && barrier_create(&things.barriers[i], i == 0 ? 2 : 4, NULL, NULL, -1) == 0;
        made = made && sem_init(&things.posix[i], 0, 0) == 0;
        made = made && pthread_barrier_init(&things.pthread[i], NULL, i == 0 ? 2 : 4) == 0;
    }
    if (!made)
        exit(1);
}

int main(void)
{
    const struct kind semaphore = {"", ours_take, ours_give}, posix = {"sem_t", posix_take, posix_give};
    const struct kind permits = {"mutex and condition", hand_take, hand_give};
    const struct kind event = {"", event_take, event_give}, flag = {"mutex and condition", flag_take, flag_give};
    const struct kind barrier = {"", ours_meet, NULL}, pthread = {"pthread_barrier_t", posix_meet, NULL};
    const struct kind rounds = {"mutex and condition", hand_meet, NULL};

    make_things();
    puts("what\tbeside\tours_ns\ttheirs_ns\tratio");
    compare("semaphore, alone", alone_ns, &semaphore, &permits);
    compare("semaphore, in turn", in_turn_ns, &semaphore, &permits);
    compare("semaphore, in turn", in_turn_ns, &semaphore, &posix);
    compare("event, alone", alone_ns, &event, &flag);
    compare("event, in turn", in_turn_ns, &event, &flag);
    compare("barrier, two meet", two_meet_ns, &barrier, &rounds);
    compare("barrier, two meet", two_meet_ns, &barrier, &pthread);
    compare("barrier, four meet", four_meet_ns, &barrier, &rounds);
    compare("barrier, four meet", four_meet_ns, &barrier, &pthread);
    return 0;
}
