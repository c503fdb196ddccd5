/* Tested under the lock, acted on under the lock, but not under the same.
 *
 * explore: => assertion within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int balance = 1;

static int account_balance(void)
{
    pthread_mutex_lock(&mutex);
    int value = balance;
    pthread_mutex_unlock(&mutex);
    return value;
}

static void account_withdraw(int amount)
{
    pthread_mutex_lock(&mutex);
    balance -= amount;
    pthread_mutex_unlock(&mutex);
}

#ifdef RIGHT
static void account_withdraw_at_most(int amount)
{
    pthread_mutex_lock(&mutex);
    if (balance >= amount)
        balance -= amount;
    pthread_mutex_unlock(&mutex);
}
#endif

static void *customer(void *argument)
{
#ifdef RIGHT
    account_withdraw_at_most(1);
#else
    if (account_balance() >= 1)
        account_withdraw(1);
#endif
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, customer, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(account_balance() >= 0);
    return 0;
}
