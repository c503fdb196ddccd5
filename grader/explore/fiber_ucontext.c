/* fiber_ucontext.c - see fiber.h: for every processor that has no assembly of its own here (or with
 * -DFIBER_UCONTEXT). Slower: swapcontext(3) sets the signal mask by a system call at every switch.
 *
 * A place is a pointer to a ucontext_t: a fiber's own one lies at the top of its stack, and whoever leaves stores into
 * the one on the stack that it leaves.
 */
#include "fiber.h"

#if !(defined __x86_64__ || defined __aarch64__) || defined FIBER_UCONTEXT
#include <stddef.h>
#include <ucontext.h>

void *fiber_prepare(void *top, void (*entry)(void))
{
    ucontext_t *place = (ucontext_t *)(((size_t)top - sizeof(ucontext_t)) & ~(size_t)63);
    enum { ROOM = 32 << 10 }; /* what makecontext is told; the guard page is what really ends the stack */
    getcontext(place);
    place->uc_stack.ss_sp = (char *)place - ROOM;
    place->uc_stack.ss_size = ROOM;
    place->uc_link = NULL;
    makecontext(place, entry, 0);
    return place;
}

void fiber_switch(void **save, void *load)
{
    ucontext_t here;
    /* cppcheck-suppress autoVariables ; we come back to this frame before it is left */
    *save = &here;
    swapcontext(&here, load);
}
#endif
