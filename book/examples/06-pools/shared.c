/* shared.c - something that several own, and that the last of them frees. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* region state */
struct picture {
    pthread_mutex_t mutex;
    long references; /* guarded by mutex */
    char *pixels;
};
/* end state */

static struct picture *picture_create(size_t size)
{
    struct picture *picture = calloc(1, sizeof *picture);
    if (picture == NULL)
        return NULL;

    picture->pixels = calloc(size, 1);
    if (picture->pixels == NULL || pthread_mutex_init(&picture->mutex, NULL) != 0) {
        free(picture->pixels);
        free(picture);
        return NULL;
    }
    picture->references = 1; /* the caller's */
    return picture;
}

/* region hold */
static struct picture *picture_hold(struct picture *picture)
{
    pthread_mutex_lock(&picture->mutex);
    picture->references++;
    pthread_mutex_unlock(&picture->mutex);
    return picture;
}
/* end hold */

/* region drop */
static void picture_drop(struct picture *picture)
{
    pthread_mutex_lock(&picture->mutex);
    bool last = --picture->references == 0;
    pthread_mutex_unlock(&picture->mutex);
    if (!last)
        return; /* and from here on it may be gone: somebody else may be the last */
    pthread_mutex_destroy(&picture->mutex);
    free(picture->pixels);
    free(picture);
}
/* end drop */

/* region thread */
static void *show(void *argument)
{
    struct picture *picture = argument; /* with a reference that is ours */

    printf("the first pixel: %d\n", picture->pixels[0]);
    picture_drop(picture);
    return NULL;
}
/* end thread */

int main(void)
{
    pthread_t thread;
    struct picture *picture = picture_create(16);

    if (picture == NULL)
        return 1;
    /* region give */
    int error = pthread_create(&thread, NULL, show, picture_hold(picture)); /* one more, for the thread */
    /* end give */
    if (error != 0)
        picture_drop(picture);
    /* Ours; the thread may still be at it. The analyser does not see that it has one of its own. */
    picture_drop(picture); // NOLINT(clang-analyzer-unix.Malloc)
    if (error == 0)
        pthread_join(thread, NULL);
    return error != 0;
}
