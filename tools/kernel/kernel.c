/* SPDX-License-Identifier: Apache-2.0 */
/* Loads kernel.bpf.c program by program, and collects what it notes; see kernel.h. */
#include "kernel/kernel.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "event/write.h"
#include "kernel/kernel.skel.h"
#include "kernel/shared.h"
#include "table/table.h"

#include "base/banned.h"

enum { MOST_EVENTS = 1 << 14, MOST_PROGRAMS = 32 };

struct mh_kernel {
    struct kernel_bpf *bpf;
    struct ring_buffer *ring;
    struct mh_kernel_event *events;
    size_t nevents, cap, dropped;
    unsigned programs, loaded;
};

/* One of the rows of syscalls.def. */
static const struct {
    const char *name;
    long nr;
    enum mh_op_kind op;
} rows[] = {
#define SYSCALL(call, kind) {#call, SYS_##call, MH_OP_##kind},
#include "kernel/syscalls.def"
#undef SYSCALL
};

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
    return 0;
}

static const char *reason(int r)
{
    if (r == -EPERM || r == -EACCES)
        return geteuid() ? "loading BPF programs needs root, or CAP_BPF and CAP_PERFMON"
                         : "this system does not let root load BPF programs";
    if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
        return "the kernel does not describe itself (/sys/kernel/btf/vmlinux, "
               "CONFIG_DEBUG_INFO_BTF)";
    if (r == -ENOSYS)
        return "the kernel has no BPF";
    return strerror(-r);
}

/* A skeleton, not loaded, with those programs wanted whose bit is set; NULL without memory. */
static struct kernel_bpf *prepare(uint32_t wanted)
{
    struct kernel_bpf *bpf = kernel_bpf__open();
    struct bpf_program *program;
    struct stat namespace;
    unsigned i = 0;

    if (!bpf)
        return NULL;
    if (stat("/proc/self/ns/pid", &namespace) == 0) {
        bpf->rodata->ns_dev = namespace.st_dev;
        bpf->rodata->ns_ino = namespace.st_ino;
    }
    bpf->rodata->self = (uint32_t)getpid();
    bpf->rodata->io_uring_setup = SYS_io_uring_setup;
    bpf_object__for_each_program(program, bpf->obj)
        bpf_program__set_autoload(program, wanted >> i++ & 1);
    return bpf;
}

static int load(uint32_t wanted, struct kernel_bpf **ret)
{
    struct kernel_bpf *bpf = prepare(wanted);
    int r = bpf ? kernel_bpf__load(bpf) : -ENOMEM;

    if (r < 0 || !ret)
        kernel_bpf__destroy(bpf);
    else
        *ret = bpf;
    return r;
}

/* libbpf loads all or nothing: after a refusal each program is tried by itself, and those that the
 * kernel takes are loaded together. Without `fork` nothing can be followed. */
static int load_some(unsigned programs, uint32_t fork, struct kernel_bpf **ret)
{
    uint32_t wanted = (UINT32_C(1) << programs) - 1, good = fork;
    int r = load(wanted, ret);

    if (r >= 0)
        return 0;
    r = load(fork, NULL);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < programs; i++)
        if (!(fork >> i & 1) && load(fork | UINT32_C(1) << i, NULL) >= 0)
            good |= UINT32_C(1) << i;
    return load(good, ret);
}

/* How many programs there are, and which of them is fork. Returns 0 or a negative errno. */
static int count(unsigned *ret_programs, uint32_t *ret_fork)
{
    struct kernel_bpf *bpf = kernel_bpf__open();
    struct bpf_program *program;
    unsigned n = 0;

    if (!bpf)
        return errno ? -errno : -ENOMEM;
    bpf_object__for_each_program(program, bpf->obj)
    {
        if (program == bpf->progs.fork)
            *ret_fork = UINT32_C(1) << n;
        n++;
    }
    kernel_bpf__destroy(bpf);
    *ret_programs = n;
    return n < MOST_PROGRAMS ? 0 : -E2BIG;
}

/* The probes of our library are found in its file; they work in every process that maps it. */
static struct bpf_link *attach_one(struct bpf_program *program, const char *library)
{
    const char *section = bpf_program__section_name(program);

    if (strcmp(section, "usdt") != 0)
        return bpf_program__attach(program);
    if (!library)
        return errno = ENOENT, NULL;
    return bpf_program__attach_usdt(program, -1, library, "mishap", bpf_program__name(program),
                                    NULL);
}

/* Attaches what was loaded, and names in `why` what is missing. Returns 0, or the errno of fork. */
static int attach(struct mh_kernel *k, const char *library, char why[MH_KERNEL_WHY])
{
    struct bpf_program *program;
    size_t n = 0;
    int err = 0;

    bpf_object__for_each_program(program, k->bpf->obj)
    {
        struct bpf_link *link = NULL;
        const struct bpf_prog_skeleton *slot = NULL;

        for (int i = 0; i < k->bpf->skeleton->prog_cnt; i++)
            if (*k->bpf->skeleton->progs[i].prog == program)
                slot = &k->bpf->skeleton->progs[i];
        if (bpf_program__autoload(program))
            link = attach_one(program, library);
        if (link && slot) {
            *slot->link = link; /* the skeleton frees it */
            k->loaded++;
            continue;
        }
        if (program == k->bpf->progs.fork)
            err = errno ? -errno : -EIO;
        if (n < MH_KERNEL_WHY)
            n +=
                (size_t)snprintf(why + n, MH_KERNEL_WHY - n, "%s%s",
                                 n ? ", " : "refused by this kernel: ", bpf_program__name(program));
    }
    return err;
}

static int take(void *data, void *record, size_t size)
{
    struct mh_kernel *k = data;

    if (size < sizeof(struct mh_kernel_event))
        return 0;
    if (k->nevents == k->cap) {
        size_t cap = k->cap ? k->cap * 2 : 64;
        struct mh_kernel_event *more =
            cap > MOST_EVENTS ? NULL : reallocarray(k->events, cap, sizeof(*more));

        if (!more) {
            k->dropped++;
            return 0;
        }
        k->events = more;
        k->cap = cap;
    }
    memcpy(&k->events[k->nevents++], record, sizeof(struct mh_kernel_event));
    return 0;
}

int mh_kernel_open(const char *library, struct mh_kernel **ret, char why[MH_KERNEL_WHY])
{
    struct mh_kernel *k = calloc(1, sizeof(*k));
    uint32_t fork = 0;
    int r;

    why[0] = 0;
    *ret = NULL;
    if (!k) {
        snprintf(why, MH_KERNEL_WHY, "%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    libbpf_set_print(silent);
    r = count(&k->programs, &fork);
    if (!r)
        r = load_some(k->programs, fork, &k->bpf);
    if (!r)
        r = attach(k, library, why);
    if (!r) {
        k->ring = ring_buffer__new(bpf_map__fd(k->bpf->maps.ring), take, k, NULL);
        r = k->ring ? 0 : -errno;
    }
    if (r < 0) {
        snprintf(why, MH_KERNEL_WHY, "%s", reason(r));
        mh_kernel_free(k);
        return r;
    }
    *ret = k;
    return 0;
}

void mh_kernel_arm(struct mh_kernel *k, bool armed)
{
    if (k)
        __atomic_store_n(&k->bpf->bss->armed, armed, __ATOMIC_SEQ_CST);
}

void mh_kernel_poll(struct mh_kernel *k)
{
    if (k)
        ring_buffer__consume(k->ring);
}

/* A command's name, printable: it is the program's to choose. */
static int text_of(char *to, size_t size, const char comm[MH_KERNEL_COMM])
{
    size_t n = 0;

    for (; n < MH_KERNEL_COMM && n + 1 < size && comm[n]; n++)
        to[n] = comm[n] >= ' ' && comm[n] < 127 ? comm[n] : '?';
    to[n] = 0;
    return (int)n;
}

static void record_event(const struct mh_kernel_event *e)
{
    char own[MH_KERNEL_COMM + 1], other[MH_KERNEL_COMM + 1], tail[2 * MH_KERNEL_COMM + 3];
    int n = text_of(own, sizeof(own), e->comm);

    text_of(other, sizeof(other), e->other_comm);
    if (other[0])
        n = snprintf(tail, sizeof(tail), "%s\n%s", own, other);
    else
        n = snprintf(tail, sizeof(tail), "%s", own);
    if (e->kind == MH_KERNEL_exit)
        mh_event(kernel_exit, tail, (size_t)n, .pid = e->pid,
                 .status = WIFEXITED(e->value) ? WEXITSTATUS(e->value) : -1,
                 .signal = WIFSIGNALED(e->value) ? WTERMSIG(e->value) : 0, .sender = e->other,
                 .code = e->code, .sent = e->sent, .ended_at = (int64_t)e->at);
    else if (e->kind == MH_KERNEL_signal)
        mh_event(kernel_signal, tail, (size_t)n, .pid = e->pid, .signal = e->value,
                 .sender = e->other, .code = e->code, .sent_at = (int64_t)e->at);
    else if (e->kind == MH_KERNEL_oom)
        mh_event(kernel_oom, tail, (size_t)n, .pid = e->pid, .killed_at = (int64_t)e->at);
}

static void record_failed(const struct mh_kernel_failed_key *key, const struct mh_kernel_failed *f)
{
    char comm[MH_KERNEL_COMM + 1], tail[64];
    enum mh_op_kind op = MH_OP_none;
    const char *name = NULL;
    int n;

    for (size_t i = 0; i < ARRAY_SIZE(rows) && !name; i++)
        if (rows[i].nr == key->nr) {
            name = rows[i].name;
            op = rows[i].op;
        }
    text_of(comm, sizeof(comm), f->comm);
    if (name)
        n = snprintf(tail, sizeof(tail), "%s\n%s", name, comm);
    else
        n = snprintf(tail, sizeof(tail), "syscall %u\n%s", key->nr, comm);
    mh_event(kernel_failed, tail, (size_t)n, .pid = key->pid, .syscall = key->nr, .err = key->err,
             .count = (int64_t)f->count, .kind = op, .first_at = (int64_t)f->first,
             .last_at = (int64_t)f->last);
}

static void record_tcp(const struct mh_kernel_tcp_key *key, const struct mh_kernel_tcp *t)
{
    char address[INET6_ADDRSTRLEN] = "";

    if (key->side == MH_KERNEL_CLIENT)
        inet_ntop(key->family, key->address, address, sizeof(address));
    /* counted before it was known whether there is something to count */
    if (!t->received && !t->sent && !t->retransmits)
        return;
    mh_event(kernel_tcp, address, strlen(address), .pid = key->pid, .family = key->family,
             .port = key->port, .side = key->side, .received = (int64_t)t->received,
             .sent = (int64_t)t->sent, .retransmits = (int64_t)t->retransmits,
             .first_at = (int64_t)t->first, .last_at = (int64_t)t->last);
}

static void record_maps(struct mh_kernel *k)
{
    int calls = bpf_map__fd(k->bpf->maps.failed), peers = bpf_map__fd(k->bpf->maps.tcp);
    struct mh_kernel_failed_key call, *last_call = NULL;
    struct mh_kernel_tcp_key peer, *last_peer = NULL;
    struct mh_kernel_failed f;
    struct mh_kernel_tcp t;

    while (bpf_map_get_next_key(calls, last_call, &call) == 0) {
        if (bpf_map_lookup_elem(calls, &call, &f) == 0)
            record_failed(&call, &f);
        last_call = &call;
    }
    while (bpf_map_get_next_key(peers, last_peer, &peer) == 0) {
        if (bpf_map_lookup_elem(peers, &peer, &t) == 0)
            record_tcp(&peer, &t);
        last_peer = &peer;
    }
}

void mh_kernel_record(struct mh_kernel *k, const char *why)
{
    bool probed;

    if (!k) {
        mh_event(kernel, why, strlen(why), .loaded = 0);
        return;
    }
    probed = k->bpf->links.fault_fired && k->bpf->links.op_failed;
    kernel_bpf__detach(k->bpf);
    mh_kernel_poll(k);
    mh_event(kernel, why, strlen(why), .loaded = k->loaded, .programs = k->programs,
             .lost = (int64_t)(k->bpf->bss->lost + k->dropped), .probed = probed,
             .faults = (int64_t)k->bpf->bss->told_faults,
             .failures = (int64_t)k->bpf->bss->told_failures);
    for (size_t i = 0; i < k->nevents; i++)
        record_event(&k->events[i]);
    record_maps(k);
}

struct mh_kernel *mh_kernel_free(struct mh_kernel *k)
{
    if (!k)
        return NULL;
    ring_buffer__free(k->ring);
    kernel_bpf__destroy(k->bpf);
    free(k->events);
    free(k);
    return NULL;
}
