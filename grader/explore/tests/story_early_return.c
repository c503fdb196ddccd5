/* An early return that forgets the unlock.
 *
 * explore: => deadlock within 200
 *
 * explore: -DRIGHT => everything */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int balance = 1;

static int withdraw(int amount)
{
    pthread_mutex_lock(&mutex);
    if (balance < amount) {
#ifdef RIGHT
        pthread_mutex_unlock(&mutex);
#endif
        return -1;
    }
    balance -= amount;
    pthread_mutex_unlock(&mutex);
    return 0;
}

int main(void)
{
    withdraw(2);
    withdraw(1);
    return 0;
}
