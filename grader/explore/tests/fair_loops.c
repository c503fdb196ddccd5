/* Loops that a fair schedule ends: a poll under a lock while the other sleeps, a compare-and-swap that is tried again,
 * a try-lock that backs off with a sleep, a wait by yielding, a wait for a time that the clock must come to. explore:
 * => bound 2 explore: --preemptions 5 --runs 3000 => nothing */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       flag_mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int count, flag;
static int done;

static void add(void)
{
    int old = atomic_load(&count);
    while (!atomic_compare_exchange_weak(&count, &old, old + 1))
        ;
}

static void both(pthread_mutex_t *first, pthread_mutex_t *second)
{
    for (;;) {
        pthread_mutex_lock(first);
        if (pthread_mutex_trylock(second) == 0)
            break;
        pthread_mutex_unlock(first);
        usleep(100);
    }
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *work(void *argument)
{
    add();
    both(&b, &a);
    atomic_store(&flag, 1);
    sleep(1);
    pthread_mutex_lock(&flag_mutex);
    done = 1;
    pthread_mutex_unlock(&flag_mutex);
    return argument;
}

static void poll(void)
{
    for (int seen = 0; !seen;) {
        pthread_mutex_lock(&flag_mutex);
        seen = done;
        pthread_mutex_unlock(&flag_mutex);
    }
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    add();
    both(&a, &b);
    while (!atomic_load(&flag))
        sched_yield();
    poll();
    pthread_join(thread, NULL);
    for (double until_s = now_s() + 0.5; now_s() < until_s;)
        ;
    return atomic_load(&count) == 2 ? 0 : 1;
}
