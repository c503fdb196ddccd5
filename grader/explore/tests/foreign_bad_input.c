/* What the explorer cannot do is said in one line; what is the program's fault is a finding.
 * explore: -DASM => status 2 assembly
 * explore: -DASM_AT_FILE => status 2 assembly
 * explore: -lno_such_library_anywhere => status 2 no_such_library_anywhere
 * explore: -DUNDEFINED => status 2 defined_nowhere
 * explore: -DNO_MAIN => status 2 main()
 * explore: -DFORK => status 2 fork()
 * explore: -DOPENS => status 2 popen()
 * explore: -DINPUT => status 2 input
 * explore: -DDEEP => stack-overflow within 2
 * explore: -DDEEP_IN_THREAD => stack-overflow within 2
 * explore: -DLARGE_FRAME => stack-overflow within 2
 * explore: -DHINTS => everything
 * explore: -DLARGE_STACK => everything */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int flag;

#ifdef __aarch64__
#define AT_FILE "adrp x0, flag\n ret"
#define CHANGES "str %w0, %1"
#define HINT "yield"
#define BARRIER "dmb ish"
#else
#define AT_FILE "incq flag(%rip)\n ret"
#define CHANGES "lock; xaddl %0, %1"
#define HINT "pause"
#define BARRIER "mfence"
#endif
#ifdef ASM_AT_FILE
__asm__(".globl function_in_assembly\nfunction_in_assembly:\n " AT_FILE);
#endif

static int deep(int n)
{
    volatile char room[1000];
    room[0] = (char)n;
    return n <= 0 ? room[0] : deep(n - 1) + room[0];
}

static int large_frame(void)
{
    char room[64 << 20];
    memset(room, 1, sizeof room);
    return room[100];
}

static void *work(void *argument)
{
#if defined DEEP_IN_THREAD
    deep(1000000);
#elif defined LARGE_FRAME
    large_frame();
#elif defined LARGE_STACK
    deep(5000);
#endif
    atomic_store(&flag, 1);
    return argument;
}

#ifdef UNDEFINED
int defined_nowhere(void);
#endif

#ifndef NO_MAIN
int main(void)
{
    pthread_t thread;
    (void)deep;
    (void)large_frame;
    pthread_create(&thread, NULL, work, NULL);
#if defined ASM
    int one = 1;
    __asm__ volatile(CHANGES : "+r"(one), "+m"(flag));
#elif defined HINTS
    while (!atomic_load(&flag))
        __asm__ volatile(HINT ::: "memory");
    __asm__ volatile(BARRIER ::: "memory");
    __asm__ volatile("" ::: "memory");
#elif defined UNDEFINED
    defined_nowhere();
#elif defined FORK
    fork();
#elif defined OPENS
    popen("true", "r");
#elif defined INPUT
    char byte;
    read(0, &byte, 1);
#elif defined DEEP
    deep(1000000);
#endif
    pthread_join(thread, NULL);
    return 0;
}
#endif
