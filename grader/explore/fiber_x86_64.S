/* fiber_x86_64.S - see fiber.h. The registers that a call must keep (System V ABI for AMD64, 3.2.1) go to the stack. */
#if defined __x86_64__ && !defined FIBER_UCONTEXT
    .text
    .globl fiber_switch
    .type fiber_switch, @function
fiber_switch:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    pushq %r12
    .cfi_adjust_cfa_offset 8
    pushq %r13
    .cfi_adjust_cfa_offset 8
    pushq %r14
    .cfi_adjust_cfa_offset 8
    pushq %r15
    .cfi_adjust_cfa_offset 8
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    .cfi_adjust_cfa_offset -8
    popq %r14
    .cfi_adjust_cfa_offset -8
    popq %r13
    .cfi_adjust_cfa_offset -8
    popq %r12
    .cfi_adjust_cfa_offset -8
    popq %rbx
    .cfi_adjust_cfa_offset -8
    popq %rbp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size fiber_switch, .-fiber_switch

/* void *fiber_prepare(void *top, void (*entry)(void)): six registers, `entry` to return to, and a zero above it that
 * ends backtraces and leaves the stack aligned as after a call. */
    .globl fiber_prepare
    .type fiber_prepare, @function
fiber_prepare:
    endbr64
    leaq -80(%rdi), %rax
    movq $0, 56(%rax)
    movq %rsi, 48(%rax)
    movq $0, 40(%rax)
    movq $0, 32(%rax)
    movq $0, 24(%rax)
    movq $0, 16(%rax)
    movq $0, 8(%rax)
    movq $0, (%rax)
    ret
    .size fiber_prepare, .-fiber_prepare
#endif
    .section .note.GNU-stack,"",@progbits
