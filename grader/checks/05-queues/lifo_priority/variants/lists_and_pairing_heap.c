/* lifo_priority.c - two other orders. A variant: the stack is a linked list, and the heap is a pairing heap, whose
 * nodes are linked to each other: each put costs one comparison, each get some log2(n), counted over many. */
#include "lifo_priority.h"

#include <errno.h>
#include <stdlib.h>

struct node {
    void *item;
    unsigned long long arrival;
    struct node *next;  /* below it in the stack; its sibling in the heap */
    struct node *child; /* its first child in the heap */
};

struct pile {
    struct node *top;
    unsigned long long arrivals;
    bool (*before)(const void *one, const void *other);
};

static struct node *node_new(struct pile *pile, void *item)
{
    struct node *node = malloc(sizeof *node);

    if (node != NULL)
        *node = (struct node){item, pile->arrivals++, NULL, NULL};
    return node;
}

static int list_push(void *place, void *item)
{
    struct pile *pile = place;
    struct node *node = node_new(pile, item);

    if (node == NULL)
        return ENOMEM;
    node->next = pile->top;
    pile->top = node;
    return 0;
}

static void *list_pop(void *place)
{
    struct pile *pile = place;
    struct node *node = pile->top;
    void *item = node->item;

    pile->top = node->next;
    free(node);
    return item;
}

static struct node *meld(const struct pile *pile, struct node *one, struct node *other)
{
    if (one == NULL || other == NULL)
        return one == NULL ? other : one;
    bool swap = pile->before(other->item, one->item) ||
                (other->arrival < one->arrival && !pile->before(one->item, other->item));
    struct node *up = swap ? other : one, *down = swap ? one : other;
    down->next = up->child;
    up->child = down;
    return up;
}

static int heap_push(void *place, void *item)
{
    struct pile *pile = place;
    struct node *node = node_new(pile, item);

    if (node == NULL)
        return ENOMEM;
    pile->top = meld(pile, pile->top, node);
    return 0;
}

/* Pairs from left to right, then all of them from right to left. */
static struct node *meld_all(const struct pile *pile, struct node *first)
{
    struct node *pairs = NULL, *all = NULL;

    while (first != NULL) {
        struct node *one = first, *other = first->next;
        first = other == NULL ? NULL : other->next;
        one->next = NULL;
        if (other != NULL)
            other->next = NULL;
        struct node *pair = meld(pile, one, other);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs != NULL) {
        struct node *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        all = meld(pile, all, pair);
    }
    return all;
}

static void *heap_pop(void *place)
{
    struct pile *pile = place;
    struct node *node = pile->top;
    void *item = node->item;

    pile->top = meld_all(pile, node->child);
    free(node);
    return item;
}

static void list_end(void *place)
{
    struct pile *pile = place;

    while (pile->top != NULL)
        list_pop(pile);
    free(pile);
}

static void heap_end(void *place)
{
    struct pile *pile = place;

    while (pile->top != NULL)
        heap_pop(pile);
    free(pile);
}

static int make(struct shutdown_queue **queue, int64_t maxsize, const struct shutdown_queue_store *store,
                bool (*before)(const void *one, const void *other))
{
    struct pile *pile = malloc(sizeof *pile);

    if (pile == NULL)
        return ENOMEM;
    *pile = (struct pile){.before = before};
    int error = shutdown_queue_create_with(queue, maxsize, store, pile);
    if (error != 0)
        free(pile);
    return error;
}

int lifo_priority_create_lifo(struct shutdown_queue **queue, int64_t maxsize)
{
    static const struct shutdown_queue_store store = {list_push, list_pop, list_end};

    return make(queue, maxsize, &store, NULL);
}

int lifo_priority_create_priority(struct shutdown_queue **queue, int64_t maxsize,
                                  bool (*before)(const void *one, const void *other))
{
    static const struct shutdown_queue_store store = {heap_push, heap_pop, heap_end};

    return make(queue, maxsize, &store, before);
}
