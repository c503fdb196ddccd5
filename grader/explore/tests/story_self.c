/* A function that locks calls another that locks the same.
 *
 * explore: => deadlock within 200
 *
 * explore: -DRIGHT => everything */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int balance;

static int read_locked(void)
{
#ifndef RIGHT
    pthread_mutex_lock(&mutex);
#endif
    int value = balance;
#ifndef RIGHT
    pthread_mutex_unlock(&mutex);
#endif
    return value;
}

static void twice(void)
{
    pthread_mutex_lock(&mutex);
    balance = read_locked() * 2;
    pthread_mutex_unlock(&mutex);
}

int main(void)
{
    twice();
    return 0;
}
