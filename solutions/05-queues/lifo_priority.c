/* lifo_priority.c - a queue that gives the newest item first, and one that gives the least first.
 *
 * Theory of operation: all that has to do with threads is the shutdown_queue's, which calls the functions below one at
 * a time; so there is no lock here, and no variable that two queues share. Both stores keep their items in an array
 * that doubles when it is full. In the stack the last item is the next one. In the heap no item comes before its
 * parent, and the parent of place i is place (i - 1) / 2: so the next item is at place 0, and a put or a get moves
 * items along one path between the top and the bottom, never through the whole array. A heap alone forgets who was
 * first among equals; each entry has its number.
 */
#include "lifo_priority.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

enum { FIRST_PLACES = 16 };

/* region lifo */
struct stack {
    void **items;
    size_t places, count; /* count of the places are in use: the last of them is the next item */
};

static int stack_push(void *place, void *item)
{
    struct stack *stack = place;

    if (stack->count == stack->places) {
        size_t places = stack->places == 0 ? FIRST_PLACES : 2 * stack->places;
        void **items = places <= SIZE_MAX / sizeof *items / 2 ? realloc(stack->items, places * sizeof *items) : NULL;
        if (items == NULL)
            return ENOMEM; /* realloc has left the old ones alone */
        stack->items = items;
        stack->places = places;
    }
    stack->items[stack->count++] = item;
    return 0;
}

static void *stack_pop(void *place)
{
    struct stack *stack = place;

    return stack->items[--stack->count];
}

static void stack_end(void *place)
{
    struct stack *stack = place;

    free(stack->items);
    free(stack);
}

static const struct shutdown_queue_store stack_store = {stack_push, stack_pop, stack_end};

int lifo_priority_create_lifo(struct shutdown_queue **queue, int64_t maxsize)
{
    struct stack *stack = calloc(1, sizeof *stack);
    if (stack == NULL)
        return ENOMEM;

    int error = shutdown_queue_create_with(queue, maxsize, &stack_store, stack);
    if (error != 0)
        stack_end(stack);
    return error;
}
/* end lifo */

/* region heap */
struct entry {
    void *item;
    uint64_t number; /* how many were put before it: who is first among equals */
};

struct heap {
    bool (*before)(const void *one, const void *other);
    struct entry *entries;
    size_t places, count;
    uint64_t next_number;
};

/* Whether `one` is to come out before `other`. */
static bool comes_first(const struct heap *heap, const struct entry *one, const struct entry *other)
{
    if (heap->before(one->item, other->item))
        return true;
    return !heap->before(other->item, one->item) && one->number < other->number;
}
/* end heap */

/* region push */
static int heap_grow(struct heap *heap)
{
    size_t places = heap->places == 0 ? FIRST_PLACES : 2 * heap->places;
    struct entry *entries =
        places <= SIZE_MAX / sizeof *entries / 2 ? realloc(heap->entries, places * sizeof *entries) : NULL;
    if (entries == NULL)
        return ENOMEM;

    heap->entries = entries;
    heap->places = places;
    return 0;
}

static int heap_push(void *place, void *item)
{
    struct heap *heap = place;

    if (heap->count == heap->places && heap_grow(heap) != 0)
        return ENOMEM;

    struct entry entry = {item, heap->next_number++};
    size_t at = heap->count++;
    while (at > 0 && comes_first(heap, &entry, &heap->entries[(at - 1) / 2])) { /* up, past those it comes before */
        heap->entries[at] = heap->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->entries[at] = entry;
    return 0;
}
/* end push */

/* region pop */
/* Of the two below place `at`, the one that comes first. There is at least one. */
static size_t first_below(const struct heap *heap, size_t at)
{
    size_t left = 2 * at + 1, right = left + 1;

    return right < heap->count && comes_first(heap, &heap->entries[right], &heap->entries[left]) ? right : left;
}

static void *heap_pop(void *place)
{
    struct heap *heap = place;
    void *item = heap->entries[0].item;
    struct entry last = heap->entries[--heap->count];
    size_t at = 0;

    while (2 * at + 1 < heap->count) { /* the last one goes to the top, and from there down to where it belongs */
        size_t below = first_below(heap, at);
        if (!comes_first(heap, &heap->entries[below], &last))
            break;
        heap->entries[at] = heap->entries[below];
        at = below;
    }
    heap->entries[at] = last;
    return item;
}
/* end pop */

/* region priority */
static void heap_end(void *place)
{
    struct heap *heap = place;

    free(heap->entries);
    free(heap);
}

static const struct shutdown_queue_store heap_store = {heap_push, heap_pop, heap_end};

int lifo_priority_create_priority(struct shutdown_queue **queue, int64_t maxsize,
                                  bool (*before)(const void *one, const void *other))
{
    struct heap *heap = calloc(1, sizeof *heap);
    if (heap == NULL)
        return ENOMEM;

    heap->before = before;
    int error = shutdown_queue_create_with(queue, maxsize, &heap_store, heap);
    if (error != 0)
        heap_end(heap);
    return error;
}
/* end priority */
