/* number.c - a number that tells whether something has happened: one thread publishes a new page now and then, others
 * wait for the next one, whatever it says. */
#include <pthread.h>
#include <stdio.h>

/* region state */
struct news {
    pthread_mutex_t mutex;
    pthread_cond_t published;
    const char *page; /* guarded by mutex, as is number */
    unsigned number;  /* of pages so far */
};
/* end state */

/* region publish */
static void publish(struct news *news, const char *page)
{
    pthread_mutex_lock(&news->mutex);
    news->page = page;
    news->number++;
    pthread_mutex_unlock(&news->mutex);
    pthread_cond_broadcast(&news->published);
}
/* end publish */

/* region next */
/* Waits for a page after number `seen`. */
static unsigned wait_for_next(struct news *news, unsigned seen)
{
    pthread_mutex_lock(&news->mutex);
    while (news->number == seen)
        pthread_cond_wait(&news->published, &news->mutex);
    seen = news->number;
    printf("page %u: %s\n", seen, news->page);
    pthread_mutex_unlock(&news->mutex);
    return seen;
}
/* end next */

static void *read_one(void *news)
{
    wait_for_next(news, 0);
    return NULL;
}

int main(void)
{
    struct news news = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, "", 0};
    pthread_t reader;

    if (pthread_create(&reader, NULL, read_one, &news) != 0)
        return 1;
    publish(&news, "rain");
    publish(&news, "sun");
    pthread_join(reader, NULL);
    return 0;
}
