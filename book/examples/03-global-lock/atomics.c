/* atomics.c - variables that several threads may use without a lock. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* region flag */
static atomic_bool asked;

static void ask(void)
{
    atomic_store_explicit(&asked, true, memory_order_relaxed);
}

static bool was_asked(void)
{
    return atomic_load_explicit(&asked, memory_order_relaxed);
}

/* Takes the request back, and says whether there was one: a look and a change in one step. */
static bool take_back(void)
{
    return atomic_exchange_explicit(&asked, false, memory_order_relaxed);
}
/* end flag */

/* region count */
static _Atomic int64_t count;

static void add(int64_t amount)
{
    atomic_fetch_add(&count, amount);
}
/* end count */

/* region swap */
/* Doubles it, unless it is above `limit`. Returns what it was. */
static int64_t double_up_to(int64_t limit)
{
    int64_t seen = atomic_load(&count), doubled;

    do
        doubled = seen > limit ? seen : 2 * seen;
    while (!atomic_compare_exchange_weak(&count, &seen, doubled)); /* where it failed, `seen` is what is there now */
    return seen;
}
/* end swap */

static void *work(void *unused)
{
    add(1);
    ask();
    return unused;
}

int main(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, work, NULL) != 0)
        return 1;
    add(1);
    pthread_join(thread, NULL);
    bool before = was_asked(), taken = take_back();
    printf("asked: %d, taken back: %d, asked now: %d\n", before, taken, was_asked());
    int64_t seen = double_up_to(100);
    printf("count: %d, then %d\n", (int)seen, (int)atomic_load(&count));
    return 0;
}
