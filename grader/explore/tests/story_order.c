/* Two transfers in opposite directions.
 *
 * explore: => deadlock within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdlib.h>

struct account {
    pthread_mutex_t mutex;
    long balance;
};

static struct account accounts[2] = {{PTHREAD_MUTEX_INITIALIZER, 10}, {PTHREAD_MUTEX_INITIALIZER, 10}};

static void transfer(struct account *from, struct account *to)
{
#ifdef RIGHT
    struct account *first = from < to ? from : to, *second = from < to ? to : from;
#else
    struct account *first = from, *second = to;
#endif
    pthread_mutex_lock(&first->mutex);
    pthread_mutex_lock(&second->mutex);
    from->balance--;
    to->balance++;
    pthread_mutex_unlock(&second->mutex);
    pthread_mutex_unlock(&first->mutex);
}

static void *there(void *argument)
{
    transfer(&accounts[0], &accounts[1]);
    return argument;
}

static void *back(void *argument)
{
    transfer(&accounts[1], &accounts[0]);
    return argument;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, there, NULL);
    pthread_create(&two, NULL, back, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    return 0;
}
