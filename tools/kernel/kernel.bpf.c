/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the kernel: follows the processes of a run and notes what only the kernel knows of them.
 * Each program may be refused without the others; only fork must hold. Tracepoints by BTF alone:
 * no tracefs, no kprobes, no fentry, since kernels and guests without them exist. */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#define __VMLINUX_H__ /* registers by the kernel's names: usdt.bpf.h has code that wants one */
#include <bpf/bpf_tracing.h>

#include "kernel/shared.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL"; /* helpers that read kernel memory ask for it */

enum { AF_INET = 2, AF_INET6 = 10 };
enum { CLOSED = 7, ESTABLISHED = 1, SYN_SENT = 2, LISTENING = 10 };
enum { NO_ERRNO_PAST = 511 };

/* The few fields that are read; the loader finds where each is in the running kernel. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct upid {
    int nr;
};
struct pid {
    unsigned int level;
    struct upid numbers[1];
};
typedef struct {
    int counter;
} atomic_t;
struct signal_struct {
    atomic_t live;
    int group_exit_code;
};
struct task_struct {
    int tgid, exit_code;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    struct signal_struct *signal;
    char comm[MH_KERNEL_COMM];
};
struct kernel_siginfo {
    int si_code;
};
struct in6_addr {
    __u8 bytes[16];
};
struct sock_common {
    __be32 skc_daddr;
    __u16 skc_num;
    __be16 skc_dport;
    unsigned short skc_family;
    struct in6_addr skc_v6_daddr;
};
struct sock {
    struct sock_common __sk_common;
};
struct pt_regs {
    unsigned long orig_ax, ip; /* x86 */
    int syscallno;             /* arm64 */
};
struct user_pt_regs { /* arm64 */
    unsigned long pc;
};
#pragma clang attribute pop

typedef _Bool bool;
#include <bpf/usdt.bpf.h>

struct process {
    __u32 pid;   /* as mishap sees it */
    __u32 execs; /* programs it has been before */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16384);
    __type(key, __u32); /* tgid as the kernel counts */
    __type(value, struct process);
} tracked SEC(".maps");

struct sender {
    __u32 pid;
    int code;
    char comm[MH_KERNEL_COMM];
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 4096);
    __type(key, __u64); /* tgid and signal */
    __type(value, struct sender);
} senders SEC(".maps");

struct owner {
    __u32 pid;
    __u16 side, port; /* the server's; a closed socket has lost it */
};

/* Sockets live on after close(): what is reset then must still be known, so nothing is taken out.
 */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64); /* address of the socket */
    __type(value, struct owner);
} sockets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, __u32);   /* local port */
    __type(value, __u32); /* pid */
} listeners SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8192);
    __type(key, struct mh_kernel_failed_key);
    __type(value, struct mh_kernel_failed);
} failed SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4096);
    __type(key, struct mh_kernel_tcp_key);
    __type(value, struct mh_kernel_tcp);
} tcp SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 256 * 1024);
} ring SEC(".maps");

const volatile __u64 ns_dev, ns_ino; /* mishap's pid namespace */
const volatile __u32 self;           /* mishap's pid in it */
const volatile __u32 io_uring_setup; /* number of that call */
__u32 armed;                         /* the next child of mishap is the command */
__u32 level;                         /* of that namespace below the first */
__u64 lost;                          /* a map or the ring was full */
__u64 told_faults, told_failures;    /* that the library said it had recorded */

/* The process id of a task's process as mishap sees it, 0 when it does not. */
static __always_inline __u32 pid_of(struct task_struct *task)
{
    struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
    __u32 depth = BPF_CORE_READ(pid, level);
    struct upid upid = {};

    if (!pid || depth < level)
        return 0;
    bpf_core_read(&upid.nr, sizeof(upid.nr),
                  (void *)&pid->numbers[0].nr + level * bpf_core_type_size(struct upid));
    return upid.nr;
}

static __always_inline struct mh_kernel_event *event(__u32 kind, __u32 pid)
{
    struct mh_kernel_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

    if (!e) {
        __sync_fetch_and_add(&lost, 1);
        return NULL;
    }
    __builtin_memset(e, 0, sizeof(*e));
    e->at = bpf_ktime_get_ns();
    e->kind = kind;
    e->pid = pid;
    return e;
}

static __always_inline void track(struct task_struct *child)
{
    struct process process = {.pid = pid_of(child)};
    __u32 tgid = BPF_CORE_READ(child, tgid);

    if (bpf_map_update_elem(&tracked, &tgid, &process, BPF_NOEXIST) == -7 /* E2BIG */)
        __sync_fetch_and_add(&lost, 1);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork, struct task_struct *parent, struct task_struct *child)
{
    __u32 tgid = BPF_CORE_READ(parent, tgid);
    struct bpf_pidns_info ns = {};

    if (bpf_map_lookup_elem(&tracked, &tgid)) {
        track(child); /* a thread is of a process that is there already */
        return 0;
    }
    if (!armed || bpf_get_ns_current_pid_tgid(ns_dev, ns_ino, &ns, sizeof(ns)) || ns.tgid != self)
        return 0;
    level = BPF_CORE_READ(parent, thread_pid, level);
    track(child);
    return 0;
}

/* What a shell did before it became the application is not the application's. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(execs, struct task_struct *task)
{
    __u32 tgid = BPF_CORE_READ(task, tgid);
    struct process *process = bpf_map_lookup_elem(&tracked, &tgid);

    if (process)
        process->execs++;
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exits, struct task_struct *task)
{
    __u32 tgid = BPF_CORE_READ(task, tgid);
    struct process *process = bpf_map_lookup_elem(&tracked, &tgid);
    struct mh_kernel_event *e;
    struct sender *sender;
    int code;
    __u64 key;

    if (!process || BPF_CORE_READ(task, signal, live.counter))
        return 0;
    code = BPF_CORE_READ(task, signal, group_exit_code);
    if (!code)
        code = BPF_CORE_READ(task, exit_code);
    e = event(MH_KERNEL_exit, process->pid);
    bpf_map_delete_elem(&tracked, &tgid);
    if (!e)
        return 0;
    e->value = code;
    bpf_core_read_str(e->comm, sizeof(e->comm), &task->group_leader->comm);
    key = (__u64)tgid << 32 | (code & 0x7f);
    sender = code & 0x7f ? bpf_map_lookup_elem(&senders, &key) : NULL;
    if (sender) {
        e->sent = 1;
        e->other = sender->pid;
        e->code = sender->code;
        __builtin_memcpy(e->other_comm, sender->comm, sizeof(e->other_comm));
    }
    bpf_ringbuf_submit(e, 0);
    return 0;
}

/* Signals that tell of daily life: children, windows, urgent data, going on, timers. */
static __always_inline int is_routine(int sig, int code)
{
    if (sig == 17 || sig == 28 || sig == 23 || sig == 18)
        return 1;
    return (sig == 14 || sig == 26 || sig == 27) && (code > 0 || code == -2);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(signals, int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
             int result)
{
    __u32 tgid = BPF_CORE_READ(task, tgid);
    struct process *process = bpf_map_lookup_elem(&tracked, &tgid);
    struct mh_kernel_event *e;
    struct sender sender = {};
    __u64 key = (__u64)tgid << 32 | (__u32)sig;

    if (!process || result == 1 /* ignored */)
        return 0;
    /* Two addresses that are none: sent by a process without more to say; sent by the kernel. */
    sender.code = (__u64)info == 0 ? 0 : (__u64)info == 1 ? 0x80 : BPF_CORE_READ(info, si_code);
    if (is_routine(sig, sender.code))
        return 0;
    if (sender.code <= 0 && sender.code != -2) {
        sender.pid = pid_of((struct task_struct *)bpf_get_current_task());
        bpf_get_current_comm(sender.comm, sizeof(sender.comm));
    }
    /* The first SIGKILL is the one that kills. */
    bpf_map_update_elem(&senders, &key, &sender, sig == 9 ? BPF_NOEXIST : BPF_ANY);
    e = event(MH_KERNEL_signal, process->pid);
    if (!e)
        return 0;
    e->value = sig;
    e->code = sender.code;
    e->other = sender.pid;
    bpf_core_read_str(e->comm, sizeof(e->comm), &task->comm);
    __builtin_memcpy(e->other_comm, sender.comm, sizeof(e->other_comm));
    bpf_ringbuf_submit(e, 0);
    return 0;
}

/* Before 6.8 the argument is a pid, since then a task: the two cannot be mistaken. */
SEC("raw_tp/mark_victim")
int oom(struct bpf_raw_tracepoint_args *ctx)
{
    __u64 arg = ctx->args[0];
    struct task_struct *task = (struct task_struct *)arg;
    __u32 tgid = (__u32)arg;
    struct process *process;
    struct mh_kernel_event *e;

    if (arg >> 32)
        tgid = BPF_CORE_READ(task, tgid);
    process = bpf_map_lookup_elem(&tracked, &tgid);
    e = process ? event(MH_KERNEL_oom, process->pid) : NULL;
    if (!e)
        return 0;
    if (arg >> 32)
        bpf_core_read_str(e->comm, sizeof(e->comm), &task->comm);
    bpf_ringbuf_submit(e, 0);
    return 0;
}

/* Whose socket is it? A client's is known when it connects, in its process; a server's from its
 * listener's port, since the kernel accepts on its own. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(states, struct sock *sk, int before, int now)
{
    __u32 tgid = bpf_get_current_pid_tgid() >> 32, *pid, port;
    struct process *process = bpf_map_lookup_elem(&tracked, &tgid);
    __u64 key = (__u64)sk;
    struct owner owner = {};

    if (now != SYN_SENT && now != LISTENING && (now != ESTABLISHED || before == SYN_SENT))
        return 0;
    port = BPF_CORE_READ(sk, __sk_common.skc_num);
    if (now == ESTABLISHED) {
        pid = bpf_map_lookup_elem(&listeners, &port);
        owner.side = MH_KERNEL_SERVER;
        owner.port = port;
    } else {
        pid = process ? &process->pid : NULL;
        owner.side = MH_KERNEL_CLIENT;
    }
    if (now == LISTENING) {
        if (pid)
            bpf_map_update_elem(&listeners, &port, pid, BPF_ANY);
        else
            bpf_map_delete_elem(&listeners, &port);
    } else if (pid) {
        owner.pid = *pid;
        bpf_map_update_elem(&sockets, &key, &owner, BPF_ANY);
    } else {
        bpf_map_delete_elem(&sockets, &key); /* the address was another's before */
    }
    return 0;
}

/* The counters of a socket's peer, NULL when the socket is nobody's of the run. */
static __always_inline struct mh_kernel_tcp *counters(const struct sock *sk)
{
    __u64 at = (__u64)sk;
    struct owner *owner = bpf_map_lookup_elem(&sockets, &at);
    struct mh_kernel_tcp_key key = {};
    struct mh_kernel_tcp zero = {}, *found;

    if (!sk || !owner)
        return NULL;
    key.pid = owner->pid;
    key.side = owner->side;
    key.family = BPF_CORE_READ(sk, __sk_common.skc_family);
    if (owner->side == MH_KERNEL_SERVER) {
        key.port = owner->port;
    } else {
        key.port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
        if (key.family == AF_INET)
            bpf_core_read(key.address, 4, &sk->__sk_common.skc_daddr);
        else if (key.family == AF_INET6)
            bpf_core_read(key.address, 16, &sk->__sk_common.skc_v6_daddr);
    }
    zero.first = bpf_ktime_get_ns();
    if (bpf_map_update_elem(&tcp, &key, &zero, BPF_NOEXIST) == -7)
        __sync_fetch_and_add(&lost, 1);
    found = bpf_map_lookup_elem(&tcp, &key);
    if (found)
        found->last = zero.first;
    return found;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(resets_received, const struct sock *sk)
{
    struct mh_kernel_tcp *c = counters(sk);

    if (c)
        __sync_fetch_and_add(&c->received, 1);
    return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(resets_sent, const struct sock *sk)
{
    struct mh_kernel_tcp *c = counters(sk);

    if (c)
        __sync_fetch_and_add(&c->sent, 1);
    return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(retransmits, const struct sock *sk)
{
    struct mh_kernel_tcp *c = counters(sk);

    if (c)
        __sync_fetch_and_add(&c->retransmits, 1);
    return 0;
}

static __always_inline __u32 number_of(struct pt_regs *regs)
{
#ifdef __TARGET_ARCH_arm64
    return regs->syscallno;
#else
    return regs->orig_ax;
#endif
}

/* Called for every system call of the machine: what went well leaves at once. */
SEC("tp_btf/sys_exit")
int BPF_PROG(failures, struct pt_regs *regs, long ret)
{
    __u32 tgid, nr = number_of(regs);
    struct process *process;
    struct mh_kernel_failed_key key = {};
    struct mh_kernel_failed fresh = {}, *found;

    /* A handler that returns brings the value of what it had interrupted, and no number. */
    if ((int)nr < 0 || (ret >= 0 ? nr != io_uring_setup : -ret > NO_ERRNO_PAST))
        return 0;
    tgid = bpf_get_current_pid_tgid() >> 32;
    process = bpf_map_lookup_elem(&tracked, &tgid);
    if (!process)
        return 0;
    key.pid = process->pid;
    key.execs = process->execs;
    key.nr = nr;
    key.err = ret < 0 ? -ret : 0;
    found = bpf_map_lookup_elem(&failed, &key);
    if (found) {
        __sync_fetch_and_add(&found->count, 1);
        found->last = bpf_ktime_get_ns();
        return 0;
    }
    fresh.count = 1;
    fresh.first = fresh.last = bpf_ktime_get_ns();
    bpf_get_current_comm(fresh.comm, sizeof(fresh.comm));
    if (bpf_map_update_elem(&failed, &key, &fresh, BPF_NOEXIST))
        __sync_fetch_and_add(&lost, 1);
    return 0;
}

/* Our own library says what it has recorded (base/probe.h); named like its probes, by which the
 * loader finds them. */
static __always_inline int said(__u64 *counter)
{
    __u32 tgid = bpf_get_current_pid_tgid() >> 32;

    if (bpf_map_lookup_elem(&tracked, &tgid))
        __sync_fetch_and_add(counter, 1);
    return 0;
}

SEC("usdt")
int fault_fired(struct pt_regs *ctx)
{
    return said(&told_faults);
}

SEC("usdt")
int op_failed(struct pt_regs *ctx)
{
    return said(&told_failures);
}
