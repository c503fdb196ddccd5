/* Freed while another still uses it.
 *
 * explore: => heap|race within 200
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdlib.h>

struct job {
    pthread_mutex_t mutex;
    int result;
};

static void *work(void *argument)
{
    struct job *job = argument;
    pthread_mutex_lock(&job->mutex);
    job->result = 1;
    pthread_mutex_unlock(&job->mutex);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    struct job *job = calloc(1, sizeof *job);
    pthread_create(&thread, NULL, work, job);
#ifdef RIGHT
    pthread_join(thread, NULL);
    free(job);
#else
    free(job);
    pthread_join(thread, NULL);
#endif
    return 0;
}
