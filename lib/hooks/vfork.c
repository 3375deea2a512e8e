/* SPDX-License-Identifier: Apache-2.0 */
/* vfork: it returns twice on one stack, so it cannot be wrapped in C. This marks the thread and
 * jumps on, and that it fails by itself is not seen: CPython asks fork() next, which is. While the
 * mark stands, hooks first ask whether they are in the child (fd/guest.c). The child of posix_spawn
 * needs no mark: libc runs no hooked call in it. */
#include <stddef.h>

#include "event/write.h"
#include "fd/guest.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

/* Stands in for a vfork that fails: errno is set already. */
static pid_t refused(void)
{
    return -1;
}

/* Marks the thread; returns what to call: the real vfork, if it is not to fail. */
__attribute__((used, visibility("hidden"))) void *mh_vfork_mark(void);
void *mh_vfork_mark(void)
{
    if (mh_limit_refuses(MH_OP_fork, MH_CALL_vfork))
        return (void *)(uintptr_t)refused;
    if (mh_gate_open(&mh_gate.fd))
        mh_writer_know_thread();
    mh_thread.vforked = mh_thread.depth + 1;
    return (void *)(uintptr_t)MH_REAL(vfork);
}

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    subq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    call mh_vfork_mark\n"
        "    addq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    jmp *%rax\n"
        "    .cfi_endproc\n"
        ".size vfork, .-vfork\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, %function\n"
        "vfork:\n"
        "    .cfi_startproc\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    bl mh_vfork_mark\n"
        "    mov x16, x0\n"
        "    ldp x29, x30, [sp], #16\n"
        "    br x16\n"
        "    .cfi_endproc\n"
        ".size vfork, .-vfork\n");
#endif
