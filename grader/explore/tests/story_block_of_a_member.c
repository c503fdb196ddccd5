/* A block that a member of a struct points to, beside one that a variable points to: each is called what the line that
 * allocates it says, though the two structs have the same size.
 *
 * explore: => race within 12
 *
 * explore: -DRIGHT => bound 2 */
#include <pthread.h>
#include <stdlib.h>

struct place {
    void *what;
    long index;
};

struct entry {
    void *what;
    long done;
};

struct list {
    struct entry *entries;
    size_t count;
};

static struct list *list;

static void *finish(void *argument)
{
    struct entry *entry = argument;

    entry->done = 1;
    return NULL;
}

static void make_list(size_t count)
{
    struct place *places = calloc(count, sizeof *places);

    list = calloc(1, sizeof *list);
    list->entries = calloc(count, sizeof *list->entries);
    list->count = count;
    free(places);
}

int main(void)
{
    pthread_t thread;

    make_list(3);
    pthread_create(&thread, NULL, finish, &list->entries[2]);
#ifndef RIGHT
    long done = list->entries[2].done;
    pthread_join(thread, NULL);
#else
    pthread_join(thread, NULL);
    long done = list->entries[2].done;
#endif
    free(list->entries);
    free(list);
    return done > 1;
}
