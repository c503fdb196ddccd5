/* mutex.c - the five calls of a mutex. */
#include <pthread.h>
#include <stdio.h>

/* region state */
struct guestbook {
    pthread_mutex_t mutex;
    int guests; /* guarded by mutex */
};
/* end state */

/* region make */
static int guestbook_init(struct guestbook *book)
{
    book->guests = 0;
    return pthread_mutex_init(&book->mutex, NULL); /* 0, or an error number */
}

static void guestbook_end(struct guestbook *book)
{
    pthread_mutex_destroy(&book->mutex); /* nobody holds it, nobody will use it again */
}
/* end make */

/* region use */
static void guestbook_sign(struct guestbook *book)
{
    pthread_mutex_lock(&book->mutex); /* waits, asleep, while another thread holds it */
    book->guests++;
    pthread_mutex_unlock(&book->mutex); /* lets go, and wakes one that waits */
}
/* end use */

/* region try */
/* Signs if that is possible at once. */
static int guestbook_sign_at_once(struct guestbook *book)
{
    int error = pthread_mutex_trylock(&book->mutex); /* EBUSY where another thread holds it */
    if (error != 0)
        return error;
    book->guests++;
    pthread_mutex_unlock(&book->mutex);
    return 0;
}
/* end try */

static void *visit(void *argument)
{
    guestbook_sign(argument);
    return NULL;
}

int main(void)
{
    struct guestbook book;
    pthread_t visitor;

    if (guestbook_init(&book) != 0)
        return 1;
    if (pthread_create(&visitor, NULL, visit, &book) != 0)
        return 1;
    int error = guestbook_sign_at_once(&book);
    pthread_join(visitor, NULL);
    printf("%d signed, the second %s\n", book.guests, error == 0 ? "at once" : "not this time");
    guestbook_end(&book);
    return 0;
}
