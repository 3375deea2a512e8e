/* SPDX-License-Identifier: Apache-2.0 */
/* What the spellings of reading and writing a stream share. libc serves most of them from its
 * buffer; only one that has to go to the descriptor is an operation. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>

#include "hooks/gate.h"
#include "rule/rule.h"

/* One call on a stream whose descriptor is an observed file. */
struct mh_stdio {
    enum mh_op_kind kind;
    enum mh_call call;
    FILE *f;
    int fd;
    int *slot; /* where the stream keeps its descriptor */
    struct mh_desc *d;
    struct mh_verdict verdict;
    uint64_t asked, pending; /* bytes; those that wait to be written */
    int64_t at, size;        /* in the file, before; size: -1 no budget concerns it */
    int64_t watch;
    int err;      /* injected */
    bool armed;   /* some fault may concern it: only then the stream is held */
    bool went;    /* it goes to the descriptor */
    bool ended;   /* the end of the file is injected */
    bool trouble; /* the stream had failed before */
};

/* On the way into a call, entered with mh_gate_fd() done. False: the guest is left, and the call is
 * nothing to us. */
bool mh_stdio_begin(struct mh_stdio *s, FILE *f);

/* The call will go to the descriptor, for so many bytes: waits, and has it fail if it must. */
void mh_stdio_goes(struct mh_stdio *s, uint64_t n);

/* After libc's own call: lets go of the stream and leaves the guest. */
void mh_stdio_end(struct mh_stdio *s);

/* Of libc, in glibc.c and musl.c. Where a stream keeps its descriptor, NULL where that is not
 * known; would reading n bytes go there; and putting n more, apart from the ends of lines; are so
 * many buffered bytes there to be read, or one that is `delim` among them; does getdelim() refuse.
 */
int *mh_stream_slot(FILE *f);
bool mh_stream_wants(FILE *f, size_t n);
bool mh_stream_overflows(FILE *f, size_t n);
bool mh_stream_holds(FILE *f, int delim, size_t most);
bool mh_stream_stuck(FILE *f);

/* Would reading up to a delimiter go to the descriptor, when at most so many bytes are taken? */
bool mh_stream_seeks(FILE *f, int delim, size_t most);

/* Would n more bytes go there, of which `held` are at hand? */
bool mh_stream_spills(FILE *f, const char *bytes, size_t held, size_t n);

/* The same of bytes that are yet to be made up; then it goes. */
__attribute__((format(printf, 2, 0))) void mh_stdio_prints(struct mh_stdio *s, const char *format,
                                                           va_list ap);

/* Is a stream on a descriptor that is nothing to us? Before anything that wants a stack frame. */
static inline bool mh_stream_idle(FILE *f)
{
    uint32_t word = __atomic_load_n(&mh_gate.fd, __ATOMIC_RELAXED);

    if (MH_LIKELY(word != MH_GATE_ON))
        return !word;
    return mh_gate_idle(MH_STREAM_FD(f));
}

/* One export. `at_hand`: what libc itself looks at before anything else, where its headers tell;
 * `goes`: does the call go to the descriptor; n: for how many bytes. */
#define MH_STREAM(op, type, name, params, args, at_hand, goes, n)                                  \
    MH_STREAM_SLOW(op, type, name, params, args, at_hand, goes, n)                                 \
    MH_PUBLIC type name params;                                                                    \
    MH_PUBLIC type name params                                                                     \
    {                                                                                              \
        return MH_LIKELY(mh_stream_idle(f)) ? mh_real.name args : slow_##name args;                \
    }

#define MH_STREAM_SLOW(op, type, name, params, args, at_hand, goes, n)                             \
    static __attribute__((noinline)) type slow_##name params                                       \
    {                                                                                              \
        struct mh_stdio s;                                                                         \
        type ret;                                                                                  \
                                                                                                   \
        if (!mh_gate_open(&mh_gate.fd) || (at_hand) || !mh_gate_fd(MH_STREAM_FD(f)))               \
            return mh_real.name args;                                                              \
        s.kind = MH_OP_##op;                                                                       \
        s.call = MH_CALL_##name;                                                                   \
        if (!mh_stdio_begin(&s, f))                                                                \
            return mh_real.name args;                                                              \
        if (s.armed && (goes))                                                                     \
            mh_stdio_goes(&s, n);                                                                  \
        ret = mh_real.name args;                                                                   \
        mh_stdio_end(&s);                                                                          \
        return ret;                                                                                \
    }

/* Prints by `real`, which takes the values of `format` as the list `ap`, and puts its answer in
 * ret. In the body of an export, since who called that is told by where it returns to. */
#define MH_PRINT(ret, name, real)                                                                  \
    do {                                                                                           \
        struct mh_stdio s = {.kind = MH_OP_write, .call = MH_CALL_##name};                         \
        bool seen = !mh_stream_idle(f) && mh_gate_fd(MH_STREAM_FD(f)) && mh_stdio_begin(&s, f);    \
                                                                                                   \
        if (seen)                                                                                  \
            mh_stdio_prints(&s, format, ap);                                                       \
        (ret) = real;                                                                              \
        if (seen)                                                                                  \
            mh_stdio_end(&s);                                                                      \
    } while (0)

/* Writes what is pending of a stream that is about to be closed; in the guest, and stays there.
 * Returns 0 or a negative errno, with *watch set. */
int mh_stdio_drain(enum mh_call call, FILE *f, int64_t *watch);
