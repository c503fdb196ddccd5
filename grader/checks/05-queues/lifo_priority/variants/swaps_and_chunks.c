/* lifo_priority.c - two other orders. A variant: the stack keeps its items in chunks that are linked, so that nothing
 * is ever moved; the heap counts its places from 1, swaps neighbours, and asks `before` once where that is enough. */
#include "lifo_priority.h"

#include <errno.h>
#include <stdlib.h>

enum { CHUNK = 30 };

struct chunk {
    struct chunk *below;
    int used;
    void *items[CHUNK];
};

struct stack {
    struct chunk *top;
};

static int stack_push(void *place, void *item)
{
    struct stack *stack = place;

    if (stack->top == NULL || stack->top->used == CHUNK) {
        struct chunk *chunk = calloc(1, sizeof *chunk);
        if (chunk == NULL)
            return ENOMEM;
        chunk->below = stack->top;
        stack->top = chunk;
    }
    stack->top->items[stack->top->used++] = item;
    return 0;
}

static void *stack_pop(void *place)
{
    struct stack *stack = place;
    struct chunk *chunk = stack->top;
    void *item = chunk->items[--chunk->used];

    if (chunk->used == 0) {
        stack->top = chunk->below;
        free(chunk);
    }
    return item;
}

static void stack_end(void *place)
{
    struct stack *stack = place;

    while (stack->top != NULL) {
        struct chunk *chunk = stack->top;
        stack->top = chunk->below;
        free(chunk);
    }
    free(stack);
}

int lifo_priority_create_lifo(struct shutdown_queue **queue, int64_t maxsize)
{
    static const struct shutdown_queue_store store = {stack_push, stack_pop, stack_end};
    struct stack *stack = calloc(1, sizeof *stack);
    int error = stack == NULL ? ENOMEM : shutdown_queue_create_with(queue, maxsize, &store, stack);

    if (error != 0)
        free(stack);
    return error;
}

struct place {
    void *item;
    int64_t arrival;
};

struct heap {
    struct place *places; /* from 1 on */
    size_t count, size;
    int64_t arrivals;
    bool (*before)(const void *one, const void *other);
};

/* Whether what lies at place `i` belongs above what lies at place `j`. */
static bool above(const struct heap *heap, size_t i, size_t j)
{
    const struct place *one = &heap->places[i], *other = &heap->places[j];

    if (one->arrival < other->arrival)
        return !heap->before(other->item, one->item);
    return heap->before(one->item, other->item);
}

static void swap(struct heap *heap, size_t i, size_t j)
{
    struct place kept = heap->places[i];

    heap->places[i] = heap->places[j];
    heap->places[j] = kept;
}

static int heap_push(void *place, void *item)
{
    struct heap *heap = place;

    if (heap->count + 1 >= heap->size) {
        size_t size = heap->size + heap->size / 2 + 8;
        struct place *places = realloc(heap->places, size * sizeof *places);
        if (places == NULL)
            return ENOMEM;
        heap->places = places;
        heap->size = size;
    }
    size_t at = ++heap->count;
    heap->places[at] = (struct place){item, heap->arrivals++};
    for (; at > 1 && above(heap, at, at / 2); at /= 2)
        swap(heap, at, at / 2);
    return 0;
}

static void *heap_pop(void *place)
{
    struct heap *heap = place;
    void *item = heap->places[1].item;
    size_t at = 1;

    heap->places[1] = heap->places[heap->count--];
    for (;;) {
        size_t best = at;
        for (size_t below = 2 * at; below <= 2 * at + 1 && below <= heap->count; below++)
            best = above(heap, below, best) ? below : best;
        if (best == at)
            return item;
        swap(heap, at, best);
        at = best;
    }
}

static void heap_end(void *place)
{
    struct heap *heap = place;

    free(heap->places);
    free(heap);
}

int lifo_priority_create_priority(struct shutdown_queue **queue, int64_t maxsize,
                                  bool (*before)(const void *one, const void *other))
{
    static const struct shutdown_queue_store store = {heap_push, heap_pop, heap_end};
    struct heap *heap = calloc(1, sizeof *heap);
    if (heap == NULL)
        return ENOMEM;

    heap->before = before;
    int error = shutdown_queue_create_with(queue, maxsize, &store, heap);
    if (error != 0)
        heap_end(heap);
    return error;
}
