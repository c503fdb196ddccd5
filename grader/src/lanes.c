/* lanes.c - see lanes.h. */
#include "lanes.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

struct lanes {
    size_t size;     /* of all this */
    atomic_int free; /* below 0: a grading has begun while others held more than their own */
    atomic_int held[];
};

struct lanes *lanes_open(int at_once, struct fault *fault)
{
    size_t size = sizeof(struct lanes) + (size_t)at_once * sizeof(atomic_int);
    struct lanes *lanes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (lanes == MAP_FAILED) {
        fault_errno(fault, "no memory to share with the gradings");
        return NULL;
    }
    lanes->size = size;
    atomic_init(&lanes->free, at_once);
    for (int i = 0; i < at_once; i++)
        atomic_init(&lanes->held[i], 0);
    return lanes;
}

void lanes_close(struct lanes *lanes)
{
    if (lanes != NULL)
        munmap(lanes, lanes->size);
}

void lanes_begin(struct lanes *lanes, int slot)
{
    atomic_store(&lanes->held[slot], 1);
    atomic_fetch_sub(&lanes->free, 1);
}

void lanes_end(struct lanes *lanes, int slot)
{
    atomic_fetch_add(&lanes->free, atomic_exchange(&lanes->held[slot], 0));
}

bool lane_is_free(const struct lane_share *share)
{
    return share->lanes != NULL && atomic_load(&share->lanes->free) > 0;
}

bool lane_take(const struct lane_share *share)
{
    if (share->lanes == NULL)
        return false;
    int free = atomic_load(&share->lanes->free);
    while (free > 0)
        if (atomic_compare_exchange_weak(&share->lanes->free, &free, free - 1)) {
            atomic_fetch_add(&share->lanes->held[share->slot], 1);
            return true;
        }
    return false;
}

void lane_give(const struct lane_share *share)
{
    atomic_fetch_sub(&share->lanes->held[share->slot], 1);
    atomic_fetch_add(&share->lanes->free, 1);
}
