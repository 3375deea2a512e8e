/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs in the kernel and their loader say to each other: fixed widths, no pointers,
 * sizes asserted, since two compilers make it. Includes nothing that one of them lacks. */
#pragma once

#ifdef __bpf__
typedef __u64 uint64_t;
typedef __u32 uint32_t;
typedef __s32 int32_t;
typedef __u16 uint16_t;
typedef __u8 uint8_t;
#else
#include <stdint.h>
#endif

enum { MH_KERNEL_COMM = 16 };

enum mh_kernel_kind { MH_KERNEL_exit = 1, MH_KERNEL_signal, MH_KERNEL_oom };

/* What happens seldom, in the ring buffer. Process ids are those of mishap's own pid namespace. */
struct mh_kernel_event {
    uint64_t at;    /* CLOCK_MONOTONIC */
    uint32_t kind;  /* enum mh_kernel_kind */
    uint32_t pid;   /* of the process that it happened to */
    int32_t value;  /* exit: as in wait(2); signal: its number */
    int32_t code;   /* si_code of the signal; of an exit: of the signal that ended it */
    uint32_t other; /* sender, 0 the kernel or unknown */
    uint32_t sent;  /* exit: 1 when the signal that ended it was seen to be sent */
    char comm[MH_KERNEL_COMM], other_comm[MH_KERNEL_COMM];
};
_Static_assert(sizeof(struct mh_kernel_event) == 64, "event");

/* System calls that failed, counted. err 0: one that leads past libc was made (io_uring_setup). */
struct mh_kernel_failed_key {
    uint32_t pid, execs, nr, err; /* execs: it has been so many other programs before */
};
_Static_assert(sizeof(struct mh_kernel_failed_key) == 16, "failed key");

struct mh_kernel_failed {
    uint64_t count, first, last;
    char comm[MH_KERNEL_COMM];
};
_Static_assert(sizeof(struct mh_kernel_failed) == 40, "failed");

enum { MH_KERNEL_CLIENT = 1, MH_KERNEL_SERVER = 2 };

/* Per process and peer. Clients of a server are one peer: its own port, and no address. */
struct mh_kernel_tcp_key {
    uint32_t pid;
    uint16_t family, port;
    uint32_t side;
    uint8_t address[16];
};
_Static_assert(sizeof(struct mh_kernel_tcp_key) == 28, "tcp key");

struct mh_kernel_tcp {
    uint64_t received, sent, retransmits, first, last;
};
_Static_assert(sizeof(struct mh_kernel_tcp) == 40, "tcp");
