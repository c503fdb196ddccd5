/* Long at its sums, with no memory that others could see: no end is in sight for more than a second, but it comes.
 * explore: --runs 1 => nothing
 * explore: -DFOR_EVER --runs 1 => endless within 1 */
#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

enum { ROUNDS = 30, ROUND = 40000000 };

static uint64_t sum(uint64_t seed)
{
    for (int i = 0; i < ROUND; i++) /* each needs the one before */
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return seed;
}

static void *adds(void *argument)
{
    uint64_t all = 1;
#ifdef FOR_EVER
    for (;;)
        all = sum(all);
#else
    for (int i = 0; i < ROUNDS; i++)
        all = sum(all);
#endif
    return all ? argument : NULL;
}

int main(void)
{
    pthread_t thread;
    void *result;
    assert(pthread_create(&thread, NULL, adds, &thread) == 0);
    assert(pthread_join(thread, &result) == 0 && result == &thread);
    return 0;
}
