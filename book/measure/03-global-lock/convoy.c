/* convoy.c - how long a thread that has slept waits for the global lock, beside one that computes without end.
 *
 * The sleeper drops the lock, sleeps for a millisecond, and takes it again; the time of that take is the delay. The
 * other thread passes a checkpoint as often as a loop in Python does. Printed for several intervals, in milliseconds:
 * the median, the longest, and the median where nobody computes.
 */
#include "03-global-lock/gil.c" /* NOLINT(bugprone-suspicious-include): the reference itself is measured */

#include <stdio.h>

enum { SAMPLES = 31, TURN = 100 };

struct contest {
    struct gil *gil;
    atomic_bool over;
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *compute(void *argument)
{
    struct contest *contest = argument;
    struct gil_thread *me;
    volatile long turns = 0;

    if (gil_thread_create(contest->gil, &me) != 0)
        exit(1);
    gil_take(me);
    while (!atomic_load_explicit(&contest->over, memory_order_relaxed)) {
        for (int i = 0; i < TURN; i++)
            turns = turns + 1;
        gil_checkpoint(me);
    }
    gil_drop(me);
    gil_thread_destroy(me);
    return NULL;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Fills and sorts the delays of one contest. */
static void measure(int64_t interval_us, bool beside, double delays_ms[SAMPLES])
{
    const struct timespec nap = {0, 1000000};
    struct contest contest = {.gil = NULL};
    struct gil_thread *me;
    pthread_t other;

    if (gil_create(&contest.gil) != 0 || gil_thread_create(contest.gil, &me) != 0 ||
        gil_set_interval(contest.gil, interval_us) != 0)
        exit(1);
    if (beside && pthread_create(&other, NULL, compute, &contest) != 0)
        exit(1);
    gil_take(me);
    for (int i = 0; i < SAMPLES; i++) {
        gil_drop(me);
        nanosleep(&nap, NULL);
        double woke_ms = now_ms();
        gil_take(me);
        delays_ms[i] = now_ms() - woke_ms;
    }
    gil_drop(me);
    atomic_store(&contest.over, true);
    if (beside)
        pthread_join(other, NULL);
    gil_thread_destroy(me);
    gil_destroy(contest.gil);
    qsort(delays_ms, SAMPLES, sizeof delays_ms[0], by_size);
}

int main(void)
{
    static const int64_t intervals_us[] = {100, 500, 1000, 2000, 5000, 10000, 20000, 50000};

    printf("interval_ms\tdelay_ms\tmost_ms\talone_ms\n");
    for (size_t i = 0; i < sizeof intervals_us / sizeof *intervals_us; i++) {
        double beside_ms[SAMPLES], alone_ms[SAMPLES];
        measure(intervals_us[i], true, beside_ms);
        measure(intervals_us[i], false, alone_ms);
        printf("%g\t%.3f\t%.3f\t%.4f\n", (double)intervals_us[i] / 1000, beside_ms[SAMPLES / 2], beside_ms[SAMPLES - 1],
               alone_ms[SAMPLES / 2]);
    }
    return 0;
}
