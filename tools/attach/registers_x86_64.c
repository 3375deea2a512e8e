/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of x86-64; see registers.h. */
#include "attach/registers.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "base/banned.h"

/* What a leaf function may keep below its stack pointer. */
enum { RED_ZONE = 128, SYSCALL_SIZE = 2 };

int mh_registers_save(pid_t tid, struct mh_registers *ret)
{
    size_t n = sizeof(ret->general);
    int r = mh_registers_move(PTRACE_GETREGSET, tid, NT_PRSTATUS, &ret->general, &n);

    if (r)
        return r;
    ret->call = (long)ret->general.orig_rax;
    ret->vector_size = sizeof(ret->vector);
    return mh_registers_move(PTRACE_GETREGSET, tid, NT_X86_XSTATE, ret->vector, &ret->vector_size);
}

int mh_registers_restore(pid_t tid, const struct mh_registers *r)
{
    struct mh_registers copy = *r;
    size_t n = sizeof(copy.general);
    int error =
        mh_registers_move(PTRACE_SETREGSET, tid, NT_X86_XSTATE, copy.vector, &copy.vector_size);

    return error ? error : mh_registers_move(PTRACE_SETREGSET, tid, NT_PRSTATUS, &copy.general, &n);
}

int mh_registers_call(pid_t tid, const struct mh_registers *r, uintptr_t function,
                      const uint64_t args[MH_REGISTERS_ARGS], uintptr_t stack, uintptr_t back)
{
    struct user_regs_struct general = r->general;
    size_t n = sizeof(general);

    stack = (stack & ~(uintptr_t)15) - 8;
    if (ptrace(PTRACE_POKEDATA, tid, stack, back) < 0)
        return -errno;
    general.rip = function;
    general.rsp = stack;
    general.rbp = 0;
    general.rdi = args[0];
    general.rsi = args[1];
    general.rdx = args[2];
    general.rax = 0;
    general.orig_rax = (unsigned long long)-1; /* no system call that could be begun again */
    general.eflags &= ~0x400ULL;               /* strings go upwards */
    return mh_registers_move(PTRACE_SETREGSET, tid, NT_PRSTATUS, &general, &n);
}

uintptr_t mh_registers_place(const struct mh_registers *r)
{
    return r->general.rip;
}

uintptr_t mh_registers_stack(const struct mh_registers *r)
{
    return r->general.rsp - RED_ZONE;
}

uint64_t mh_registers_argument(const struct mh_registers *r, unsigned i)
{
    const uint64_t args[] = {r->general.rdi, r->general.rsi, r->general.rdx,
                             r->general.r10, r->general.r8,  r->general.r9};

    return args[i];
}

void mh_registers_argument_set(struct mh_registers *r, unsigned i, uint64_t value)
{
    unsigned long long *const args[] = {&r->general.rdi, &r->general.rsi, &r->general.rdx,
                                        &r->general.r10, &r->general.r8,  &r->general.r9};

    *args[i] = value;
}

int64_t mh_registers_answer(const struct mh_registers *r)
{
    return (int64_t)r->general.rax;
}

void mh_registers_again(struct mh_registers *r)
{
    r->general.rax = (unsigned long long)r->call;
    r->general.rip -= SYSCALL_SIZE;
    r->general.orig_rax = (unsigned long long)-1;
}

int mh_registers_returned(pid_t tid, uintptr_t *ret_place, uint64_t *ret_value)
{
    struct user_regs_struct general;
    size_t n = sizeof(general);
    int r = mh_registers_move(PTRACE_GETREGSET, tid, NT_PRSTATUS, &general, &n);

    if (r)
        return r;
    *ret_place = general.rip;
    *ret_value = general.rax;
    return 0;
}
