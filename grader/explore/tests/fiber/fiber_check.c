/* fiber_check.c - the stack switch keeps what a call keeps, on every processor: several fibers go round and round, each
 * with its own values in more variables than there are registers, whole and floating; entry is called with an aligned
 * stack, and a backtrace ends at it. Prints nothing and returns 0 where all is well. */
#include "../../fiber.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unwind.h>

enum { FIBERS = 7, ROUNDS = 10000, STACK = 64 << 10 };

static void *places[FIBERS], *root;
static _Alignas(64) char stacks[FIBERS][STACK];
static unsigned current, rounds_done[FIBERS], failures;

static void next(void)
{
    unsigned from = current;
    current = (current + 1) % FIBERS;
    fiber_switch(&places[from], places[current]);
}

/* Read again each time, so that the compiler has to keep what it computed from them. */
static volatile unsigned long factors[7] = {3, 5, 7, 11, 13, 17, 19};
static volatile double reals[8] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5};

/* Values that the compiler must keep across the switch: what does not fit in registers lies on the stack. */
static unsigned round_of(unsigned long seed, double real)
{
    unsigned long a = seed * factors[0], b = seed * factors[1], c = seed * factors[2], d = seed * factors[3];
    unsigned long e = seed * factors[4], f = seed * factors[5], g = seed * factors[6];
    double p = real * reals[0], q = real * reals[1], r = real * reals[2], s = real * reals[3];
    double t = real * reals[4], u = real * reals[5], v = real * reals[6], w = real * reals[7];
    next();
    unsigned wrong = (a != seed * factors[0]) + (b != seed * factors[1]) + (c != seed * factors[2]) +
                     (d != seed * factors[3]) + (e != seed * factors[4]) + (f != seed * factors[5]) +
                     (g != seed * factors[6]);
    wrong += (p != real * reals[0]) + (q != real * reals[1]) + (r != real * reals[2]) + (s != real * reals[3]);
    wrong += (t != real * reals[4]) + (u != real * reals[5]) + (v != real * reals[6]) + (w != real * reals[7]);
    return wrong;
}

/* A frame of this fiber's lies in its stack. */
static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *frames)
{
    uintptr_t frame = _Unwind_GetCFA(context);
    ++*(unsigned *)frames;
    if (_Unwind_GetIP(context) == 0)
        return _URC_END_OF_STACK;
    failures += frame < (uintptr_t)stacks[current] || frame > (uintptr_t)stacks[current] + STACK;
    return *(unsigned *)frames > 10 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void look_back(void)
{
    unsigned frames = 0;
    _Unwind_Backtrace(look_at_frame, &frames);
    failures += frames < 2 || frames > 10;
}

static void entry(void)
{
    unsigned self = current;
    _Alignas(16) volatile char aligned[16];
    failures += (uintptr_t)&aligned[0] % 16 != 0;
    failures += (char *)&self < stacks[self] || (char *)&self >= stacks[self] + STACK;
    look_back();
    for (unsigned round = 0; round < ROUNDS; round++) {
        failures += round_of(round * 1000003UL + self, round * 1.5 + self);
        failures += current != self;
        rounds_done[self]++;
    }
    void *never_used;
    if (self == FIBERS - 1)
        fiber_switch(&never_used, root);
    next(); /* the last one of the round ends it all */
    abort();
}

int main(void)
{
    for (unsigned i = 0; i < FIBERS; i++)
        places[i] = fiber_prepare(stacks[i] + STACK, entry);
    fiber_switch(&root, places[0]);
    for (unsigned i = 0; i < FIBERS; i++)
        failures += rounds_done[i] < ROUNDS - 1;
    if (failures)
        fprintf(stderr, "%u things were not kept\n", failures);
    return failures != 0;
}
