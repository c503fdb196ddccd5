/* gate.c - see gate.h.
 *
 * Theory: what two threads agree on here must look to a race detector as if it had never happened.
 *   - ThreadSanitizer sees what the compiler instruments: nothing here is (`no_sanitize`), and it knows nothing of the
 *     futex call, which goes through syscall(2).
 *   - Helgrind sees every instruction: it is told to keep no record of these variables (a client request, a few
 *     instructions that do nothing outside valgrind), so it neither reports them nor draws an order from them; and it
 *     takes no order from a futex call.
 * The memory itself is ordered all the same: release when a gate opens, acquire when it is passed, so that a test's
 * own plain variables are safe across a gate in fact, though the detectors do not know it.
 */
#include "gate.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/helgrind.h>

#if defined(__clang__)
#define UNSEEN __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation, noinline))
#else
#define UNSEEN __attribute__((no_sanitize("thread"), noinline))
#endif

UNSEEN void gate_open(struct gate *gate)
{
    VALGRIND_HG_DISABLE_CHECKING(gate, sizeof *gate);
    __atomic_store_n(&gate->open, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &gate->open, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

UNSEEN void gate_pass(struct gate *gate)
{
    VALGRIND_HG_DISABLE_CHECKING(gate, sizeof *gate);
    while (__atomic_load_n(&gate->open, __ATOMIC_ACQUIRE) == 0)
        syscall(SYS_futex, &gate->open, FUTEX_WAIT, 0, NULL, NULL, 0);
}

UNSEEN void crew_meet(struct crew *crew)
{
    VALGRIND_HG_DISABLE_CHECKING(crew, sizeof *crew);
    if (__atomic_add_fetch(&crew->inside, 1, __ATOMIC_ACQ_REL) >= crew->size)
        gate_open(&crew->full);
    gate_pass(&crew->full);
}

UNSEEN long tally_add(struct tally *tally, long amount)
{
    VALGRIND_HG_DISABLE_CHECKING(tally, sizeof *tally);
    return __atomic_add_fetch(&tally->value, amount, __ATOMIC_ACQ_REL);
}

UNSEEN long tally_read(struct tally *tally)
{
    VALGRIND_HG_DISABLE_CHECKING(tally, sizeof *tally);
    return __atomic_load_n(&tally->value, __ATOMIC_ACQUIRE);
}
