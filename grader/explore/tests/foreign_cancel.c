/* Cancellation in all its forms, used rightly: deferred in every wait, disabled, asynchronous, of a thread that has
 * ended, with handlers that unlock what a cut-off wait has locked again.
 * explore: => bound 2 */
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int order, handler_had_mutex;

static void unlock(void *argument)
{
    handler_had_mutex = pthread_mutex_trylock(argument) != 0;
    pthread_mutex_unlock(argument);
}

static void count(void *argument)
{
    order = order * 10 + *(int *)argument;
}

static void *waits_on_cond(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    for (;;)
        pthread_cond_wait(&cond, &mutex);
    pthread_cleanup_pop(0);
    return argument;
}

static void *waits_on_semaphore(void *argument)
{
    static int one = 1, two = 2, three = 3;
    pthread_cleanup_push(count, &one);
    pthread_cleanup_push(count, &two);
    pthread_cleanup_push(count, &three);
    pthread_cleanup_pop(0);
    sem_wait(&semaphore);
    pthread_cleanup_pop(1);
    pthread_cleanup_pop(1);
    return argument;
}

static void *sleeps(void *argument)
{
    for (;;)
        sleep(3600);
    return argument;
}

static void *asks(void *argument)
{
    for (;;)
        pthread_testcancel();
    return argument;
}

static void *joins(void *argument)
{
    pthread_join(*(pthread_t *)argument, NULL);
    return NULL;
}

static void *refuses(void *argument)
{
    int old;
    assert(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) == 0 && old == PTHREAD_CANCEL_ENABLE);
    sem_wait(&semaphore);
    pthread_testcancel();
    assert(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old) == 0 && old == PTHREAD_CANCEL_DISABLE);
    return argument;
}

static void *at_any_time(void *argument)
{
    int old;
    assert(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old) == 0 && old == PTHREAD_CANCEL_DEFERRED);
    pthread_mutex_t *held = argument;
    pthread_mutex_lock(held); /* no cancellation point, but this thread may end anywhere */
    return argument;
}

static void ends_cancelled(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    void *result;
    assert(pthread_create(&thread, NULL, body, argument) == 0);
    assert(pthread_cancel(thread) == 0);
    assert(pthread_join(thread, &result) == 0);
    assert(result == PTHREAD_CANCELED);
}

static void refused(void)
{
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, refuses, &order);
    assert(pthread_cancel(thread) == 0);
    assert(pthread_cancel(thread) == 0);
    sem_post(&semaphore);
    assert(pthread_join(thread, &result) == 0 && (result == &order || result == PTHREAD_CANCELED));
}

static void of_one_that_has_ended(void)
{
    pthread_t thread;
    void *result;
    sem_post(&semaphore);
    pthread_create(&thread, NULL, refuses, &order);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    assert(pthread_cancel(thread) == 0);
    assert(pthread_join(thread, &result) == 0);
}

int main(void)
{
    sem_init(&semaphore, 0, 0);
    ends_cancelled(waits_on_cond, NULL);
    assert(handler_had_mutex || order == 0);
    assert(pthread_mutex_trylock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
    ends_cancelled(waits_on_semaphore, NULL);
    assert(order == 21 || order == 0); /* before or after the handlers were pushed: there is no point before */
    ends_cancelled(sleeps, NULL);
    ends_cancelled(asks, NULL);
    pthread_t self = pthread_self();
    ends_cancelled(joins, &self);
    pthread_mutex_lock(&mutex);
    ends_cancelled(at_any_time, &mutex);
    pthread_mutex_unlock(&mutex);
    refused();
    of_one_that_has_ended();
    sem_destroy(&semaphore);
    return 0;
}
