/* crash.c - see crash.h. */
#include "crash.h"

#include "engine.h"
#include "memory_map.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* Ticks of processor time without a step: a program that was seen twice in the very same state goes round; any other
 * may only be long at its sums, which is given more time, once. */
enum { TICK_US = 250000, TICKS_SAME = 4, TICKS_MAX = 40, ALT_STACK = 256 << 10, REGISTERS = 33 };

struct state {
    uint64_t at[REGISTERS];
};

static struct {
    uint32_t run;
    unsigned steps, ticks;
    bool is_endless; /* it was told so: what comes are replays */
    struct state seen[TICKS_MAX];
} watch;

/* All registers that a program computes with. */
static void state_of(const void *context, struct state *state)
{
    const ucontext_t *at = context;
    memset(state, 0, sizeof *state);
#if defined __x86_64__
    for (unsigned i = 0; i <= REG_RIP; i++)
        state->at[i] = (uint64_t)at->uc_mcontext.gregs[i];
#elif defined __aarch64__
    memcpy(state->at, at->uc_mcontext.regs, sizeof at->uc_mcontext.regs);
    state->at[REGISTERS - 2] = at->uc_mcontext.sp;
    state->at[REGISTERS - 1] = at->uc_mcontext.pc;
#else
    static uint64_t count;
    (void)at;
    state->at[0] = ++count;
#endif
}

static bool was_seen(const struct state *state, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (memcmp(&watch.seen[i], state, sizeof *state) == 0)
            return true;
    return false;
}

/* The processor came to no code: a function was called by a pointer that is null. */
static bool is_null_call(const void *context)
{
    const ucontext_t *at = context;
#if defined __x86_64__
    return at->uc_mcontext.gregs[REG_RIP] == 0;
#elif defined __aarch64__
    return at->uc_mcontext.pc == 0;
#else
    (void)at;
    return false;
#endif
}

/* Where it is; of a call to nowhere, where that would return to. */
static const void *pc_of(const void *context)
{
    const ucontext_t *at = context;
#if defined __x86_64__
    if (is_null_call(context))
        return *(const void *const *)at->uc_mcontext.gregs[REG_RSP]; /* NOLINT(performance-no-int-to-ptr) */
    /* like a return address; NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (const char *)at->uc_mcontext.gregs[REG_RIP] + 1;
#elif defined __aarch64__
    if (is_null_call(context))
        return (const void *)at->uc_mcontext.regs[30];
    return (const char *)at->uc_mcontext.pc + 1;
#else
    (void)at;
    return il.self->pc;
#endif
}

static void on_crash(int signal_number, siginfo_t *info, void *context)
{
    if (!il.inside) {
        static const char text[] = "interleave: the explorer itself has crashed; the program may have overwritten it\n";
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
            _exit(2);
        _exit(2);
    }
    il.self->pc = pc_of(context);
    int guard = memory_guard_of(info->si_addr);
    if ((signal_number == SIGSEGV || signal_number == SIGBUS) && guard >= 0)
        il_found(FIND_STACK, NULL, "%s overflows its stack", il_name(guard));
    if (signal_number == SIGFPE)
        il_found(FIND_CRASH, NULL, "%s divides by zero", il_name(il.current));
    if (signal_number == SIGILL || signal_number == SIGTRAP)
        il_found(FIND_CRASH, NULL, "%s runs into an instruction that ends the program", il_name(il.current));
    if (is_null_call(context))
        il_found(FIND_CRASH, NULL, "%s calls a function by a null pointer", il_name(il.current));
    if ((uintptr_t)info->si_addr < 4096)
        il_found(FIND_CRASH, info->si_addr, "%s follows a null pointer", il_name(il.current));
    il_found(FIND_CRASH, info->si_addr, "%s follows a pointer to nowhere", il_name(il.current));
}

static void on_tick(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)info;
    if (!il.inside || watch.run != il.run || watch.steps != il.steps) {
        watch.run = il.run;
        watch.steps = il.steps;
        watch.ticks = 0;
        return;
    }
    struct state *state = &watch.seen[watch.ticks];
    state_of(context, state);
    bool same = watch.is_endless || was_seen(state, watch.ticks);
    if (++watch.ticks < (same ? TICKS_SAME : TICKS_MAX))
        return;
    watch.ticks = 0;
    watch.is_endless = true;
    il.self->pc = pc_of(context);
    il_found(FIND_ENDLESS, NULL, "%s computes without end: it does nothing that others could see", il_name(il.current));
}

int crash_open(void)
{
    stack_t stack = {.ss_sp = malloc(ALT_STACK), .ss_size = ALT_STACK};
    if (!stack.ss_sp || sigaltstack(&stack, NULL))
        return -1;
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], &action, NULL))
            return -1;
    action.sa_sigaction = on_tick;
    if (sigaction(SIGVTALRM, &action, NULL))
        return -1;
    struct itimerval timer = {.it_interval = {.tv_usec = TICK_US}, .it_value = {.tv_usec = TICK_US}};
    return setitimer(ITIMER_VIRTUAL, &timer, NULL);
}
