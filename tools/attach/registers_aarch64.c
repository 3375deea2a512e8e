/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of aarch64; see registers.h. */
#include "attach/registers.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "base/banned.h"

enum { SYSCALL_SIZE = 4, RESULT = 0, NUMBER = 8, FRAME = 29, LINK = 30 };

int mh_registers_save(pid_t tid, struct mh_registers *ret)
{
    size_t n = sizeof(ret->general), size = sizeof(int);
    int number, r = mh_registers_move(PTRACE_GETREGSET, tid, NT_PRSTATUS, &ret->general, &n);

    if (!r)
        r = mh_registers_move(PTRACE_GETREGSET, tid, NT_ARM_SYSTEM_CALL, &number, &size);
    if (r)
        return r;
    ret->call = number;
    ret->vector_size = sizeof(ret->vector);
    return mh_registers_move(PTRACE_GETREGSET, tid, NT_PRFPREG, ret->vector, &ret->vector_size);
}

static int set(pid_t tid, struct user_regs_struct *general, int number)
{
    size_t n = sizeof(*general), size = sizeof(number);
    int r = mh_registers_move(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &number, &size);

    return r ? r : mh_registers_move(PTRACE_SETREGSET, tid, NT_PRSTATUS, general, &n);
}

int mh_registers_restore(pid_t tid, const struct mh_registers *r)
{
    struct mh_registers copy = *r;
    int error =
        mh_registers_move(PTRACE_SETREGSET, tid, NT_PRFPREG, copy.vector, &copy.vector_size);

    return error ? error : set(tid, &copy.general, (int)copy.call);
}

int mh_registers_call(pid_t tid, const struct mh_registers *r, uintptr_t function,
                      const uint64_t args[MH_REGISTERS_ARGS], uintptr_t stack, uintptr_t back)
{
    struct user_regs_struct general = r->general;

    general.pc = function;
    general.sp = stack & ~(uintptr_t)15;
    general.regs[FRAME] = 0;
    general.regs[LINK] = back;
    for (unsigned i = 0; i < MH_REGISTERS_ARGS; i++)
        general.regs[i] = args[i];
    return set(tid, &general, -1); /* no system call that could be begun again */
}

uintptr_t mh_registers_place(const struct mh_registers *r)
{
    return r->general.pc;
}

uintptr_t mh_registers_stack(const struct mh_registers *r)
{
    return r->general.sp;
}

/* The first one is where the answer is, too; the others stay. */
uint64_t mh_registers_argument(const struct mh_registers *r, unsigned i)
{
    return r->general.regs[i];
}

void mh_registers_argument_set(struct mh_registers *r, unsigned i, uint64_t value)
{
    r->general.regs[i] = value;
}

int64_t mh_registers_answer(const struct mh_registers *r)
{
    return (int64_t)r->general.regs[RESULT];
}

/* What stood in the first register is lost by now: a call is begun anew only where the kernel does
 * so itself. */
void mh_registers_again(struct mh_registers *r)
{
    (void)r;
}

int mh_registers_returned(pid_t tid, uintptr_t *ret_place, uint64_t *ret_value)
{
    struct user_regs_struct general;
    size_t n = sizeof(general);
    int r = mh_registers_move(PTRACE_GETREGSET, tid, NT_PRSTATUS, &general, &n);

    if (r)
        return r;
    *ret_place = general.pc;
    *ret_value = general.regs[RESULT];
    return 0;
}
