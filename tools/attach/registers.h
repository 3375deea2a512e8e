/* SPDX-License-Identifier: Apache-2.0 */
/* A stopped thread's registers: one file an architecture. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

enum { MH_REGISTERS_VECTOR = 32768, MH_REGISTERS_ARGS = 3 };

/* Everything that a call may change. */
struct mh_registers {
    struct user_regs_struct general;
    long call;                        /* number of the system call that it is in; -1 none */
    char vector[MH_REGISTERS_VECTOR]; /* floating point and vectors, as the kernel keeps them */
    size_t vector_size;
};

/* One set of them (NT_PRSTATUS, ...) by PTRACE_GETREGSET or PTRACE_SETREGSET, for the files of the
 * architectures. *n: the room at `data`, then what was moved. Returns 0 or a negative errno. */
int mh_registers_move(int how, pid_t tid, int set, void *data, size_t *n);

/* Read and write them. Return 0 or a negative errno. */
int mh_registers_save(pid_t tid, struct mh_registers *ret);
int mh_registers_restore(pid_t tid, const struct mh_registers *r);

/* The thread will call `function` on a stack that ends at `stack`, and come back to `back`. */
int mh_registers_call(pid_t tid, const struct mh_registers *r, uintptr_t function,
                      const uint64_t args[MH_REGISTERS_ARGS], uintptr_t stack, uintptr_t back);

/* Where the thread is; its stack, below what may be in use there; an argument of the system call
 * that it is in, and what that has answered so far. */
uintptr_t mh_registers_place(const struct mh_registers *r);
uintptr_t mh_registers_stack(const struct mh_registers *r);
uint64_t mh_registers_argument(const struct mh_registers *r, unsigned i);
void mh_registers_argument_set(struct mh_registers *r, unsigned i, uint64_t value);
int64_t mh_registers_answer(const struct mh_registers *r);

/* Makes the system call begin anew. */
void mh_registers_again(struct mh_registers *r);

/* What a function has returned that was just called. */
int mh_registers_returned(pid_t tid, uintptr_t *ret_place, uint64_t *ret_value);
