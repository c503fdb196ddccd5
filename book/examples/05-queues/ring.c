/* ring.c - a ring: an array in which a row of items wanders round. One thread, and a fixed number of places. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* region ring */
enum { PLACES = 4 };

struct ring {
    const char *items[PLACES];
    size_t first; /* the place of the item at the front */
    size_t count; /* how many items there are */
};

static bool ring_push(struct ring *ring, const char *item)
{
    if (ring->count == PLACES)
        return false;
    ring->items[(ring->first + ring->count) % PLACES] = item; /* past the last place it goes on with place 0 */
    ring->count++;
    return true;
}

static const char *ring_pop(struct ring *ring)
{
    if (ring->count == 0)
        return NULL;
    const char *item = ring->items[ring->first];
    ring->first = (ring->first + 1) % PLACES;
    ring->count--;
    return item;
}
/* end ring */

int main(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    struct ring ring = {.count = 0};

    for (int i = 0; i < 7; i++) {
        if (!ring_push(&ring, names[i]))
            puts("full");
        if (i % 2 == 1)
            printf("%s\n", ring_pop(&ring));
    }
    while (ring.count > 0)
        printf("%s\n", ring_pop(&ring));
    return 0;
}
