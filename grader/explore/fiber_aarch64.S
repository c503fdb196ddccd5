/* fiber_aarch64.S - see fiber.h. Kept by a call (AAPCS64, 6.1): x19 to x30 and the low halves of v8 to v15. */
#if defined __aarch64__ && !defined FIBER_UCONTEXT
    .text
    .globl fiber_switch
    .type fiber_switch, %function
fiber_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size fiber_switch, .-fiber_switch

/* A fiber's first step: a return address of zero ends backtraces, which would go beyond the stack's end otherwise. */
    .type fiber_begin, %function
fiber_begin:
    mov x30, #0
    br x19
    .size fiber_begin, .-fiber_begin

/* void *fiber_prepare(void *top, void (*entry)(void)): x19 is `entry`, and x30 is where the switch returns to. */
    .globl fiber_prepare
    .type fiber_prepare, %function
fiber_prepare:
    sub x2, x0, #160
    mov x3, #0
1:  str xzr, [x2, x3]
    add x3, x3, #8
    cmp x3, #160
    b.lo 1b
    str x1, [x2, #0]
    adr x3, fiber_begin
    str x3, [x2, #88]
    mov x0, x2
    ret
    .size fiber_prepare, .-fiber_prepare
#endif
    .section .note.GNU-stack,"",%progbits
