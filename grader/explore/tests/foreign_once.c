/* A once variable in a frame that comes again, or set back by hand, is a new one; whoever comes late to an old one does
 * not run the function again.
 * explore: => everything
 * explore: -DTWICE => assertion within 20 */
#include <assert.h>
#include <pthread.h>
#include <threads.h>

static pthread_once_t shared = PTHREAD_ONCE_INIT;
static int inits, inits_shared;

static void init(void)
{
    inits++;
}

static void init_shared(void)
{
    inits_shared++;
}

static void of_the_frame(void)
{
    pthread_once_t here = PTHREAD_ONCE_INIT;
    once_flag there = ONCE_FLAG_INIT;
    for (int i = 0; i < 2; i++) {
        pthread_once(&here, init);
        call_once(&there, init);
    }
}

static void *work(void *argument)
{
    pthread_once(&shared, init_shared);
    assert(inits_shared == 1);
    return argument;
}

int main(void)
{
    pthread_t thread;
    of_the_frame();
    of_the_frame();
    assert(inits == 4);
    pthread_create(&thread, NULL, work, NULL);
    work(NULL);
#ifdef TWICE
    shared = PTHREAD_ONCE_INIT;
    work(NULL);
#endif
    pthread_join(thread, NULL);
    assert(inits_shared == 1);
    return 0;
}
