/* fiber.h - stacks that are switched by hand: the only part of the explorer that knows the processor.
 *
 * All fibers run in one thread of the operating system, one at a time; nothing here blocks or fails.
 * x86-64 and AArch64 switch in assembly (fiber_x86_64.S, fiber_aarch64.S), everything else by ucontext(3).
 */
#ifndef EXPLORE_FIBER_H
#define EXPLORE_FIBER_H

/* Lays a first frame below `top` (the end of a stack of ours, aligned to 64 bytes) such that the first switch to what
 * it returns calls `entry`, which must never return. The stack stays the caller's. */
void *fiber_prepare(void *top, void (*entry)(void));

/* Stores where we stand in `*save` and goes on where `load` was stored. Returns when somebody switches back. A stored
 * place is good for one switch. */
void fiber_switch(void **save, void *load);

#endif
