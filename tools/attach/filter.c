/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp filters, run here; see filter.h. They are programs of the classic BPF over the number of
 * a call, its architecture and its arguments; the arguments are given as 0. */
#include "attach/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "base/macros.h"

#include "base/banned.h"

#if defined(__x86_64__)
#define HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define HERE AUDIT_ARCH_AARCH64
#endif

enum { MOST_STEPS = BPF_MAXINSNS };

/* What loading the library and recording want, and cannot do without. */
static const struct {
    long number;
    const char *name;
} calls[] = {
#define CALL(name)                                                                                 \
    {                                                                                              \
        SYS_##name, #name                                                                          \
    }
    CALL(openat), CALL(read),     CALL(pread64), CALL(mmap),       CALL(mprotect), CALL(munmap),
    CALL(close),  CALL(fstat),    CALL(getpid),  CALL(gettid),     CALL(mkdirat),  CALL(linkat),
    CALL(lseek),  CALL(fcntl),    CALL(uname),   CALL(fallocate),  CALL(futex),    CALL(madvise),
    CALL(mremap), CALL(unlinkat), CALL(getcwd),  CALL(readlinkat),
#undef CALL
};

static uint32_t load(const struct seccomp_data *d, uint32_t at)
{
    uint32_t word = 0;

    if (at <= sizeof(*d) - sizeof(word))
        memcpy(&word, (const char *)d + at, sizeof(word));
    return word;
}

static uint32_t compute(unsigned op, uint32_t a, uint32_t b)
{
    switch (op) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return b ? a / b : 0;
    case BPF_OR:
        return a | b;
    case BPF_AND:
        return a & b;
    case BPF_XOR:
        return a ^ b;
    case BPF_LSH:
        return b < 32 ? a << b : 0;
    case BPF_RSH:
        return b < 32 ? a >> b : 0;
    default: /* BPF_NEG */
        return 0 - a;
    }
}

static bool holds(unsigned op, uint32_t a, uint32_t b)
{
    return op == BPF_JEQ ? a == b : op == BPF_JGT ? a > b : op == BPF_JGE ? a >= b : (a & b) != 0;
}

/* What the filter says; the kernel has checked it: jumps go forward, and it ends. */
static uint32_t run(const struct sock_filter *f, size_t n, const struct seccomp_data *d)
{
    uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};

    for (size_t i = 0; i < n; i++) {
        const struct sock_filter *s = &f[i];
        uint32_t b = BPF_SRC(s->code) == BPF_X ? x : s->k;

        switch (BPF_CLASS(s->code)) {
        case BPF_LD:
            a = BPF_MODE(s->code) == BPF_ABS   ? load(d, s->k)
                : BPF_MODE(s->code) == BPF_MEM ? memory[s->k % BPF_MEMWORDS]
                : BPF_MODE(s->code) == BPF_LEN ? (uint32_t)sizeof(*d)
                                               : s->k;
            break;
        case BPF_LDX:
            x = BPF_MODE(s->code) == BPF_MEM   ? memory[s->k % BPF_MEMWORDS]
                : BPF_MODE(s->code) == BPF_LEN ? (uint32_t)sizeof(*d)
                                               : s->k;
            break;
        case BPF_ST:
            memory[s->k % BPF_MEMWORDS] = a;
            break;
        case BPF_STX:
            memory[s->k % BPF_MEMWORDS] = x;
            break;
        case BPF_ALU:
            a = compute(BPF_OP(s->code), a, b);
            break;
        case BPF_JMP:
            i += BPF_OP(s->code) == BPF_JA ? s->k : holds(BPF_OP(s->code), a, b) ? s->jt : s->jf;
            break;
        case BPF_RET:
            return BPF_RVAL(s->code) == BPF_A ? a : s->k;
        default: /* BPF_MISC */
            if (BPF_MISCOP(s->code) == BPF_TAX)
                x = a;
            else
                a = x;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

static bool lets_pass(uint32_t verdict)
{
    verdict &= SECCOMP_RET_ACTION_FULL;
    return verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_LOG;
}

enum mh_filter_answer mh_filter_ask(pid_t tid, const char **ret_call)
{
    static struct sock_filter filter[MOST_STEPS];
    long n;

    /* every filter is asked by the kernel, and the strictest counts */
    for (long which = 0; (n = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, which, filter)) > 0; which++)
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
            struct seccomp_data d = {.nr = (int)calls[i].number, .arch = HERE};

            if (!lets_pass(run(filter, (size_t)n, &d))) {
                *ret_call = calls[i].name;
                return MH_FILTER_refuses;
            }
        }
    return errno == ENOENT ? MH_FILTER_allows : MH_FILTER_unknown;
}
