/* careless_transfer.c - a transfer that works until somebody transfers the other way. */
#include <pthread.h>
#include <stdio.h>

struct account {
    pthread_mutex_t mutex;
    long balance; /* guarded by mutex */
};

/* region transfer */
static void transfer(struct account *from, struct account *to, long amount)
{
    pthread_mutex_lock(&from->mutex);
    pthread_mutex_lock(&to->mutex);
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&to->mutex);
    pthread_mutex_unlock(&from->mutex);
}
/* end transfer */

int main(void)
{
    struct account a = {PTHREAD_MUTEX_INITIALIZER, 100}, b = {PTHREAD_MUTEX_INITIALIZER, 100};

    transfer(&a, &b, 30); /* one thread: what could go wrong? */
    transfer(&b, &a, 10);
    printf("A holds %ld, B holds %ld\n", a.balance, b.balance);
    return 0;
}
