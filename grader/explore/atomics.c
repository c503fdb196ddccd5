/* atomics.c - C11's atomics and fences, as -fsanitize=thread of gcc and clang hands them over.
 *
 * Every atomic operation is a scheduling point; values are those of one interleaving of all operations. What an
 * operation orders is as C17 (5.1.2.4, 7.17.3) says and no more: relaxed operations order nothing, so that data passed
 * by them is a race; a release sequence goes on through read-modify-write operations; fences work on the operations
 * around them.
 */
#include "engine.h"
#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide; /* what __tsan_atomic128_… work on has no other name */

enum order { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

static bool acquires(int order)
{
    return order == CONSUME || order == ACQUIRE || order == ACQ_REL || order == SEQ_CST;
}

static bool releases(int order)
{
    return order == RELEASE || order == ACQ_REL || order == SEQ_CST;
}

/* Before the operation: its turn. */
static struct sync *arrive(const volatile void *address, bool only_looks)
{
    struct sync *on = sync_use((const void *)address, SYNC_ATOMIC);
    if (only_looks)
        il_wish_look((const void *)address);
    else
        il_wish(WISH_GO, NULL, NO_DEADLINE);
    return on;
}

static void sees(struct sync *on, int order)
{
    if (acquires(order))
        il_acquire(on);
    else
        clock_join(&il.self->fence_in, &on->sync);
}

static void loaded(struct sync *on, size_t size, int order, uint64_t value)
{
    il_event(on, false, 0);
    il_looked(on->address, value);
    shadow_access(on->address, size, false, true);
    sees(on, order);
    record_note("looks at", on->address, -1);
}

static void stored(struct sync *on, size_t size, int order)
{
    il_event(on, true, 0);
    shadow_access(on->address, size, true, true);
    if (releases(order))
        il_release_only(on);
    else
        clock_copy(&on->sync, &il.self->fence_out);
    record_note("sets", on->address, -1);
}

static void changed(struct sync *on, size_t size, int order)
{
    il_event(on, true, 0);
    shadow_access(on->address, size, true, true);
    sees(on, order);
    if (releases(order))
        il_release(on);
    else
        clock_join(&on->sync, &il.self->fence_out);
    record_note("changes", on->address, -1);
}

/* An exchange of a value for the same is what a lock that spins does while it waits: nobody can see that it was done.
 */
static void exchanged(struct sync *on, size_t size, int order, uint64_t old, uint64_t new)
{
    if (old != new) {
        changed(on, size, order);
        return;
    }
    loaded(on, size, order, old);
    if (releases(order))
        il_release(on);
}

#define HERE() il_enter(__builtin_return_address(0))

/* NOLINTBEGIN(bugprone-macro-parentheses): a type in parentheses is no type */
#define FETCH(bits, type, name, expression)                                                                            \
    type __tsan_atomic##bits##_fetch_##name(volatile type *address, type operand, int order)                           \
    {                                                                                                                  \
        HERE();                                                                                                        \
        struct sync *on = arrive(address, false);                                                                      \
        type old = *address;                                                                                           \
        *address = (type)(expression);                                                                                 \
        changed(on, sizeof *address, order);                                                                           \
        return old;                                                                                                    \
    }

#define ATOMIC(bits, type)                                                                                             \
    type __tsan_atomic##bits##_load(const volatile type *address, int order)                                           \
    {                                                                                                                  \
        HERE();                                                                                                        \
        struct sync *on = arrive(address, true);                                                                       \
        type value = *address;                                                                                         \
        loaded(on, sizeof *address, order, value);                                                                     \
        return value;                                                                                                  \
    }                                                                                                                  \
    void __tsan_atomic##bits##_store(volatile type *address, type value, int order)                                    \
    {                                                                                                                  \
        HERE();                                                                                                        \
        struct sync *on = arrive(address, false);                                                                      \
        *address = value;                                                                                              \
        stored(on, sizeof *address, order);                                                                            \
    }                                                                                                                  \
    type __tsan_atomic##bits##_exchange(volatile type *address, type operand, int order)                               \
    {                                                                                                                  \
        HERE();                                                                                                        \
        struct sync *on = arrive(address, true);                                                                       \
        type old = *address;                                                                                           \
        *address = operand;                                                                                            \
        exchanged(on, sizeof *address, order, old, operand);                                                           \
        return old;                                                                                                    \
    }                                                                                                                  \
    FETCH(bits, type, add, old + operand)                                                                              \
    FETCH(bits, type, sub, old - operand)                                                                              \
    FETCH(bits, type, and, old &operand)                                                                               \
    FETCH(bits, type, or, old | operand)                                                                               \
    FETCH(bits, type, xor, old ^ operand)                                                                              \
    FETCH(bits, type, nand, ~(old & operand))                                                                          \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *address, type *expected, type wanted, int order,  \
                                                      int failed_order)                                                \
    {                                                                                                                  \
        HERE();                                                                                                        \
        struct sync *on = arrive(address, true);                                                                       \
        type old = *address;                                                                                           \
        if (old == *expected) {                                                                                        \
            *address = wanted;                                                                                         \
            changed(on, sizeof *address, order);                                                                       \
            return 1;                                                                                                  \
        }                                                                                                              \
        *expected = old;                                                                                               \
        loaded(on, sizeof *address, failed_order, old);                                                                \
        return 0;                                                                                                      \
    }                                                                                                                  \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *address, type *expected, type wanted, int order,    \
                                                    int failed_order)                                                  \
    {                                                                                                                  \
        HERE();                                                                                                        \
        struct sync *on = arrive(address, true);                                                                       \
        type old = *address;                                                                                           \
        bool fails = old != *expected || (il.faults && il_choice(2, true) == 1);                                       \
        if (!fails) {                                                                                                  \
            *address = wanted;                                                                                         \
            changed(on, sizeof *address, order);                                                                       \
            return 1;                                                                                                  \
        }                                                                                                              \
        *expected = old;                                                                                               \
        loaded(on, sizeof *address, failed_order, old);                                                                \
        return 0;                                                                                                      \
    }                                                                                                                  \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type wanted, int order,     \
                                                    int failed_order)                                                  \
    {                                                                                                                  \
        HERE();                                                                                                        \
        struct sync *on = arrive(address, true);                                                                       \
        type old = *address;                                                                                           \
        if (old == expected) {                                                                                         \
            *address = wanted;                                                                                         \
            changed(on, sizeof *address, order);                                                                       \
        } else {                                                                                                       \
            loaded(on, sizeof *address, failed_order, old);                                                            \
        }                                                                                                              \
        return old;                                                                                                    \
    }

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
ATOMIC(128, wide)
/* NOLINTEND(bugprone-macro-parentheses) */

void __tsan_atomic_thread_fence(int order)
{
    HERE();
    struct thread *self = il.self;
    if (acquires(order))
        clock_join(&self->sync, &self->fence_in);
    if (releases(order)) {
        clock_copy(&self->fence_out, &self->sync);
        il_tick(); /* what comes after the fence is not handed over by it */
    }
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

/* ---- objects of other sizes -------------------------------------------------------------------------------------- */

/* _Atomic structures that no instruction can change at once: the compilers call these (libatomic), with a size. */

static uint64_t sum_of(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t sum = 0xcbf29ce484222325ULL; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ at[i]) * 0x100000001b3ULL;
    return sum;
}

void il___atomic_load(size_t size, const void *address, void *to, int order)
{
    HERE();
    struct sync *on = arrive(address, true);
    shadow_access(to, size, true, false);
    memcpy(to, address, size);
    loaded(on, size, order, sum_of(address, size));
}

void il___atomic_store(size_t size, void *address, const void *from, int order)
{
    HERE();
    struct sync *on = arrive(address, false);
    shadow_access(from, size, false, false);
    memcpy(address, from, size);
    stored(on, size, order);
}

void il___atomic_exchange(size_t size, void *address, const void *from, void *to, int order)
{
    HERE();
    struct sync *on = arrive(address, false);
    shadow_access(from, size, false, false);
    shadow_access(to, size, true, false);
    memcpy(to, address, size);
    memcpy(address, from, size);
    changed(on, size, order);
}

_Bool il___atomic_compare_exchange(size_t size, void *address, void *expected, const void *wanted, int order,
                                   int failed_order)
{
    HERE();
    struct sync *on = arrive(address, true);
    if (memcmp(address, expected, size) == 0) {
        memcpy(address, wanted, size);
        changed(on, size, order);
        return true;
    }
    memcpy(expected, address, size);
    loaded(on, size, failed_order, sum_of(address, size));
    return false;
}

_Bool il___atomic_is_lock_free(size_t size, const void *address)
{
    (void)address;
    return size <= sizeof(wide) && (size & (size - 1)) == 0;
}

void il_atomic_thread_fence(int order)
{
    __tsan_atomic_thread_fence(order);
}

void il_atomic_signal_fence(int order)
{
    __tsan_atomic_signal_fence(order);
}
