/* interpreters.c - as many countdowns as interpreters: under one lock for all, and with a lock for each.
 *
 * Medians, in milliseconds. More interpreters than cores take turns by the system's scheduler.
 */
#include "03-global-lock/gil.c"     /* NOLINT(bugprone-suspicious-include): the reference itself is measured */
#include "03-global-lock/tiny_vm.c" /* NOLINT(bugprone-suspicious-include) */

#include <stdio.h>

enum { MANY = 4, ROUNDS = 5, COUNT = 1000 * 1000 };

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *calc(void *argument)
{
    int64_t result;

    if (tiny_vm_run(argument, tiny_vm_countdown(), COUNT, &result) != 0)
        exit(1);
    return NULL;
}

static double run_ms(int count, bool own_locks)
{
    struct gil *gils[MANY];
    struct tiny_vm *vms[MANY];
    pthread_t threads[MANY];

    for (int i = 0; i < count; i++)
        if (gil_create(&gils[i]) != 0 || tiny_vm_create(gils[own_locks ? i : 0], &vms[i]) != 0)
            exit(1);
    double begin_ms = now_ms();
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, calc, vms[i]) != 0)
            exit(1);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    double took_ms = now_ms() - begin_ms;
    for (int i = 0; i < count; i++) {
        tiny_vm_destroy(vms[i]);
        gil_destroy(gils[i]);
    }
    return took_ms;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median_ms(int count, bool own_locks)
{
    double times_ms[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        times_ms[i] = run_ms(count, own_locks);
    qsort(times_ms, ROUNDS, sizeof times_ms[0], by_size);
    return times_ms[ROUNDS / 2];
}

int main(void)
{
    printf("interpreters\tone_lock_ms\town_locks_ms\n");
    for (int count = 1; count <= MANY; count++)
        printf("%d\t%.1f\t%.1f\n", count, median_ms(count, false), median_ms(count, true));
    return 0;
}
