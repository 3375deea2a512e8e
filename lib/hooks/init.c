/* SPDX-License-Identifier: Apache-2.0 */
/* Arrival and departure of the guest: the constructor reads the environment and the scenario and
 * opens the gates; fork gives the child its own recording; exit closes the recording. Whatever
 * fails here is said once, and the program runs on as if we were not there. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/sys.h"
#include "control/control.h"
#include "event/write.h"
#include "fd/caller.h"
#include "fd/epoll.h"
#include "fd/live.h"
#include "fd/observe.h"
#include "fd/rest.h"
#include "fd/serving.h"
#include "hooks/gate.h"
#include "hooks/libc.h"
#include "hooks/limits.h"
#include "hooks/memory.h"
#include "memory/budget.h"
#include "native/native.h"
#include "python/python.h"
#include "rule/load.h"

#include "base/banned.h"

static char command_line[1024];

void mh_gate_boot(void)
{
    mh_real_init();
}

static void gates_set(uint32_t word, bool memory)
{
    __atomic_store_n(&mh_gate.fd, word, __ATOMIC_RELAXED);
    __atomic_store_n(&mh_gate.file, word, __ATOMIC_RELAXED);
    __atomic_store_n(&mh_gate.sleep, word, __ATOMIC_RELAXED);
    __atomic_store_n(&mh_gate.memory, memory ? word : 0, __ATOMIC_RELAXED);
}

static void say(const char *a, const char *b, const char *c)
{
    MH_BUF(text, 1200);

    mh_buf_add(&text, "mishap: ");
    mh_buf_add(&text, a);
    mh_buf_add(&text, b);
    mh_buf_add(&text, c);
    mh_buf_add_char(&text, '\n');
    mh_sys(SYS_write, 2, text.data, text.len);
}

/* Reads a /proc file of ours into b; NULs become spaces. */
static void proc_read(const char *path, struct mh_buf *b)
{
    long fd = mh_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    long n = fd < 0 ? 0 : mh_sys(SYS_read, fd, b->data, b->size - 1);

    if (fd >= 0)
        mh_sys(SYS_close, fd);
    b->len = n > 0 ? (size_t)n : 0;
    while (b->len && b->data[b->len - 1] == '\0')
        b->len--;
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == '\0')
            b->data[i] = ' ';
    b->data[b->len] = '\0';
}

static void *pages(size_t n)
{
    long p = mh_sys(SYS_mmap, 0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p < 0 && p > -4096 ? NULL : (void *)p;
}

/* Prints the mistakes of the scenario. */
static void complain(const struct mh_mistakes *mistakes)
{
    for (unsigned i = 0; i < mistakes->n && i < ARRAY_SIZE(mistakes->at); i++) {
        const struct mh_mistake *m = &mistakes->at[i];
        MH_BUF(text, 1200);

        mh_buf_add(&text, m->file);
        if (m->line) {
            mh_buf_add_char(&text, ':');
            mh_buf_add_int(&text, m->line);
        }
        mh_buf_add(&text, ": ");
        mh_buf_add(&text, m->text);
        say(text.data, "", "");
    }
    say("the scenario has mistakes: nothing is injected", "", "");
}

static bool takes_part(void)
{
    char exe[512] = "";
    struct mh_buf line = {command_line, sizeof(command_line), 0, false};
    long n = mh_sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof(exe) - 1);

    exe[n > 0 ? n : 0] = '\0';
    proc_read("/proc/self/cmdline", &line);
    if (!mh_rules_takes_part(mh_guest.rules, exe, command_line))
        return false;
    mh_rules_bind(mh_guest.rules, exe, command_line);
    return true;
}

/* Loads the scenario into mh_guest.rules; with mistakes it holds no faults and *ret_good is false.
 * Returns whether this process takes part: others are left alone, without a word. */
static bool rules_load(bool *ret_good)
{
    const char *config = getenv("MISHAP_CONFIG");
    struct mh_mistakes *mistakes = pages(sizeof(*mistakes));
    int r = 0;

    mh_guest.rules = pages(sizeof(*mh_guest.rules));
    if (!mh_guest.rules || !mistakes)
        return false;
    mh_guest.rules->stop_after_ns = INT64_C(900000000000);
    if (config && *config)
        r = mh_rules_load(config, mh_guest.rules, mistakes);
    *ret_good = r == 0;
    if (!takes_part()) {
        mh_sys(SYS_munmap, mh_guest.rules, sizeof(*mh_guest.rules));
        mh_guest.rules = NULL;
    } else if (r) {
        complain(mistakes);
    }
    mh_sys(SYS_munmap, mistakes, sizeof(*mistakes));
    return mh_guest.rules != NULL;
}

/* mkdir -p */
static void directory_make(const char *path)
{
    char part[sizeof(mh_guest.out)];

    for (size_t i = 0; path[i] && i + 1 < sizeof(part); i++) {
        part[i] = path[i];
        part[i + 1] = '\0';
        if (i && (path[i + 1] == '/' || path[i + 1] == '\0'))
            mh_sys(SYS_mkdirat, AT_FDCWD, part, 0755);
    }
}

/* Where to record: MISHAP_OUT, or a new directory below ./mishap-out. */
static void out_find(void)
{
    const char *out = getenv("MISHAP_OUT");
    struct mh_buf b = {mh_guest.out, sizeof(mh_guest.out), 0, false};
    char cwd[400] = ".";

    if (!out || *out != '/') { /* the program may change directory later */
        mh_sys(SYS_getcwd, cwd, sizeof(cwd));
        mh_buf_add(&b, cwd);
        mh_buf_add_char(&b, '/');
    }
    if (out && *out) {
        mh_buf_add(&b, out);
    } else {
        mh_buf_add(&b, "mishap-out/");
        mh_buf_add_int(&b, mh_now_wall() / 1000000000);
        mh_buf_add_char(&b, '-');
        mh_buf_add_int(&b, mh_sys_getpid());
    }
    directory_make(mh_guest.out);
}

static void complain_control(int r)
{
    const char *nothing = ": nothing is recorded or injected";

    if (r == -EPROTONOSUPPORT)
        say(mh_guest.out, " holds a run of another version of mishap; give a directory of its own",
            nothing);
    else if (r == -EBADMSG)
        say(mh_guest.out, " holds a file 'control' that is not a run's", nothing);
    else
        say("cannot write to ", mh_guest.out, nothing);
}

/* Tells the run's page what it was started with; paths are made absolute. */
static void tell_run(void)
{
    const char *config = getenv("MISHAP_CONFIG");
    char cwd[400] = ".";
    MH_BUF(paths, MH_CONTROL_TEXT);

    mh_sys(SYS_getcwd, cwd, sizeof(cwd));
    for (const char *p = config ? config : ""; *p;) {
        size_t n = strcspn(p, ":");

        if (n) {
            mh_buf_add(&paths, paths.len ? ":" : "");
            mh_buf_add(&paths, *p == '/' ? "" : cwd);
            mh_buf_add(&paths, *p == '/' ? "" : "/");
            mh_buf_add_n(&paths, p, n);
        }
        p += n + (p[n] == ':');
    }
    mh_control_tell(mh_guest.control, mh_guest.rules, paths.cut ? "" : paths.data);
}

/* The seed in force: given, or from the scenario, or drawn once for the whole run. */
static void seed_choose(void)
{
    const char *given = getenv("MISHAP_SEED");
    struct mh_rules *rules = mh_guest.rules;
    uint64_t none = 0, drawn = 0;

    if (given && *given) {
        rules->seed = strtoull(given, NULL, 10);
    } else if (!rules->seed_given) {
        mh_sys(SYS_getrandom, &drawn, sizeof(drawn), 0);
        drawn = (drawn >> 32) | 1; /* short enough to type */
        if (__atomic_compare_exchange_n(&mh_guest.control->seed, &none, drawn, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            none = drawn;
        rules->seed = none;
    }
    mh_guest.control->seed = rules->seed;
}

static void record_scenario(void)
{
    const struct mh_rules *rules = mh_guest.rules;

    for (unsigned i = 0; i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];
        MH_BUF(text, 1500);

        mh_buf_add(&text, f->name);
        mh_buf_add_char(&text, '\n');
        mh_buf_add(&text, rules->files[f->file]);
        mh_buf_add_char(&text, '\n');
        mh_fault_sentence(f, &text);
        mh_event(fault, text.data, text.len, .fault = i, .line = f->line, .ops = (int64_t)f->ops,
                 .effects = f->effects, .delay_ns = f->delay.a);
    }
    for (unsigned i = 0; i < rules->nphases; i++) {
        const struct mh_phase *p = &rules->phases[i];
        MH_BUF(text, 3000);

        mh_buf_add(&text, p->name);
        for (unsigned k = 0; k < rules->nfaults; k++)
            if (p->faults[k / 64] >> (k % 64) & 1) {
                mh_buf_add_char(&text, '\n');
                mh_buf_add(&text, rules->faults[k].name);
            }
        mh_event(phase, text.data, text.len, .phase = i, .start_ns = p->start_ns,
                 .for_ns = p->for_ns);
    }
}

/* Opens this process's recording and writes its head. */
static int recording_begin(const char *line, bool forked)
{
    static const char calls[] = ""
#define HOOK(op, ret, name, params) " " #name
#include "table/hooks.def"
#undef HOOK
        ;
    int64_t none = 0;
    int r;

    mh_writer_limit(mh_guest.rules->recording);
    r = mh_writer_open(mh_guest.out);

    if (r < 0)
        return r;
    mh_guest.pid = mh_sys_getpid();
    mh_guest.started_at = mh_now();
    mh_guest.ordinal = __atomic_add_fetch(&mh_guest.control->processes, 1, __ATOMIC_RELAXED);
    mh_control_join(mh_guest.control, mh_guest.ordinal, mh_guest.pid);
    if (!mh_guest.control->hold)
        __atomic_compare_exchange_n(&mh_guest.control->origin_at, &none, mh_guest.started_at, false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    mh_event(process, line, strlen(line), .pid = mh_guest.pid,
             .ppid = mh_sys6(SYS_getppid, 0, 0, 0, 0, 0, 0), .started_at = mh_guest.started_at,
             .wall_ns = mh_now_wall(), .python = mh_python_version(), .forked = forked,
             .seed = (int64_t)mh_guest.rules->seed, .ordinal = (int64_t)mh_guest.ordinal);
    mh_event(calls, calls + 1, sizeof(calls) - 2, .count = MH_CALL_COUNT);
    mh_event(origin, NULL, 0, .origin_at = mh_guest.control->origin_at);
    record_scenario();
    if (mh_rules_ask(mh_guest.rules->by_stack) && !mh_python_known())
        mh_note(MH_NOTE_no_places, 1, true,
                "no stacks of Python can be read in this process: faults with 'stack' cannot fire");
    return 0;
}

/* The child of a fork: a process of its own, with its own recording. */
static void after_fork_child(void)
{
    int saved = errno;
    uint32_t open = mh_gate.fd;

    if (!open || open == MH_GATE_BOOT || mh_thread.depth)
        return; /* not taking part; or forked from inside a hook, which vouches for nothing */
    mh_thread.depth = 1;
    mh_writer_abandon();
    mh_guest.epoch++;
    mh_live_after_fork();
    mh_fd_after_fork();
    mh_epoll_after_fork();
    mh_python_after_fork();
    mh_native_after_fork();
    mh_serving_after_fork();
    if (recording_begin(command_line, true) < 0) {
        gates_set(0, false);
        say("cannot record in a forked child: it is left alone: ", mh_guest.out, "");
    }
    mh_thread.depth = 0;
    errno = saved;
}

static void finish(int status)
{
    if (mh_gate.fd != MH_GATE_ON || mh_sys_getpid() != mh_guest.pid || !mh_writer_ok())
        return;
    mh_control_leave(mh_guest.control, mh_guest.ordinal, status);
    mh_python_ends(status);
    mh_rest_leave();
    mh_event(exit, NULL, 0, .status = status, .lost = (int64_t)mh_writer_lost(),
             .allocations = (int64_t)mh_budget_refused());
    mh_writer_finish();
}

static void at_exit(int status, void *unused)
{
    int saved = errno;

    (void)unused;
    finish(status);
    errno = saved;
}

static void leave(int status) __attribute__((noreturn));
static void leave(int status)
{
    if (mh_gate.fd == MH_GATE_ON)
        finish(status);
    for (;;)
        mh_sys(SYS_exit_group, status);
}

MH_PUBLIC void _exit(int status)
{
    leave(status);
}

MH_PUBLIC void _Exit(int status)
{
    leave(status);
}

static void standard_streams(void)
{
    for (int fd = 1; fd <= 2; fd++) {
        struct mh_desc *d =
            mh_sys(SYS_fcntl, fd, F_GETFL, 0) >= 0 ? mh_fd_new(fd, MH_DESC_log) : NULL;

        if (d)
            d->sink = fd;
    }
}

/* Everything up to open gates. Returns false to stay out of the way. */
static bool arrive(void)
{
    const char *disabled = getenv("MISHAP_DISABLE");
    bool good = true;
    int r;

    if ((disabled && *disabled && strcmp(disabled, "0")) || getauxval(AT_SECURE))
        return false;
    mh_guest.pid = mh_sys_getpid();
    if (!rules_load(&good))
        return false;
    out_find();
    r = mh_control_open(mh_guest.out, true, &mh_guest.control);
    if (r < 0) {
        complain_control(r);
        return false;
    }
    if (good)
        tell_run();
    mh_python_init();
    if (mh_guest.rules->nfiles && !mh_guest.rules->outcomes)
        mh_python_leave_alone();
    mh_caller_init();
    seed_choose();
    mh_live_init();
    r = recording_begin(command_line, false);
    if (r < 0) {
        say("cannot record below ", mh_guest.out, ": nothing is recorded or injected");
        return false;
    }
    if (!good)
        mh_note(MH_NOTE_bad_config, 0, false, "the scenario has mistakes: nothing is injected");
    standard_streams();
    pthread_atfork(NULL, NULL, after_fork_child);
    mh_libc_at_exit(at_exit);
    return true;
}

__attribute__((constructor)) static void arrive_or_stay_out(void)
{
    int saved = errno;
    bool on;

    mh_real_init();
    mh_thread.depth = 1;
    on = arrive();
    if (on) {
        mh_memory_init();
        mh_limits_init();
    }
    gates_set(on ? MH_GATE_ON : 0,
              on && (mh_guest.rules->ops & (MH_OP_BIT(MH_OP_malloc) | MH_OP_BIT(MH_OP_mmap))));
    mh_memory_settle();
    mh_thread.depth = 0;
    errno = saved;
}
