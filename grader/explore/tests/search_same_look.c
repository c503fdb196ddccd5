/* Two looks at the same variable from one place are no loop that spins: what comes after them can come first.
 * explore: => assertion within 20
 * explore: --preemptions all => assertion within 20 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int looked_at, done;

__attribute__((noinline)) static int look(void)
{
    return atomic_load(&looked_at);
}

static void *work(void *argument)
{
    (void)look();
    (void)look();
    atomic_store(&done, 1);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    assert(!atomic_load(&done));
    pthread_join(thread, NULL);
    return 0;
}
