/* Atomic objects of 16 bytes, structures, and the older __sync_ and __atomic_ functions of every size.
 * explore: --preemptions all -Wno-atomic-alignment => everything
 * explore: -Wno-atomic-alignment -DTORN => assertion within 10 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct three { /* of no size that an instruction has, and without padding */
    long a, b, c;
};

static _Atomic struct three all;
static __int128 wide;
static uint8_t byte;
static uint16_t word;
static uint64_t old_style, guarded;
static atomic_flag flag = ATOMIC_FLAG_INIT;

static void add_to_all(void)
{
    struct three seen = atomic_load(&all);
#ifdef TORN
    struct three more = {seen.a + 1, seen.b + 1, seen.c + 1};
    atomic_store(&all, more);
#else
    struct three more;
    do
        more = (struct three){seen.a + 1, seen.b + 1, seen.c + 1};
    while (!atomic_compare_exchange_strong(&all, &seen, more));
#endif
}

static void *work(void *argument)
{
    add_to_all();
    __atomic_fetch_add(&wide, (__int128)1 << 100, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&byte, 1, __ATOMIC_RELAXED);
    __sync_fetch_and_add(&word, 3);
    assert(__sync_bool_compare_and_swap(&old_style, 77, 78) == false);
    __sync_synchronize();
    while (atomic_flag_test_and_set(&flag))
        ;
    guarded++;
    atomic_flag_clear(&flag);
    return argument;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    work(NULL);
    pthread_join(thread, NULL);
    struct three end = atomic_load(&all);
    assert(end.a == 2 && end.b == 2 && end.c == 2);
    assert(wide == (__int128)2 << 100 && byte == 2 && word == 6 && old_style == 0 && guarded == 2);
    return 0;
}
