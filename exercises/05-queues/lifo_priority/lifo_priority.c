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
/* A store that gives the newest item first: a place for items, the three functions, and a queue made with them
 * (shutdown_queue_create_with). What if it cannot be made? */
int lifo_priority_create_lifo(struct shutdown_queue **queue, int64_t maxsize)
{
    (void)queue;
    (void)maxsize;
    return ENOSYS;
}
/* end lifo */

/* region heap */
/* What does a heap consist of? And how does it know which of two equal items was put first? */
/* end heap */

/* region push */
/* A place for helpers: an item goes to the end of the heap, and up. */
/* end push */

/* region pop */
/* A place for helpers: the item at the top goes out, the last one takes its place, and goes down. */
/* end pop */

/* region priority */
/* A store that gives the least item first, and of equal ones the first. */
int lifo_priority_create_priority(struct shutdown_queue **queue, int64_t maxsize,
                                  bool (*before)(const void *one, const void *other))
{
    (void)queue;
    (void)maxsize;
    (void)before;
    return ENOSYS;
}
/* end priority */
