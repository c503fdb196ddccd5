/* Long, but it ends: no finding, and no proof.
 * explore: => status 2 .takes.60000.steps
 * explore: -DROUNDS=2000000 => status 2 .takes.2000000.steps */
#include <pthread.h>

#ifndef ROUNDS
#define ROUNDS 60000
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    return 0;
}
