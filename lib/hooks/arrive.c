/* SPDX-License-Identifier: Apache-2.0 */
/* Arrival of the guest: the scenario is read, the run joined, the recording begun; see arrive.h.
 * Whatever fails here is said once, and the program runs on as if we were not there. */
#include "hooks/arrive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/macros.h"
#include "base/sys.h"
#include "control/control.h"
#include "event/write.h"
#include "fd/caller.h"
#include "fd/live.h"
#include "fd/table.h"
#include "python/python.h"
#include "rule/load.h"

#include "base/banned.h"

static char command_line[1024];
static bool bad_config;
struct mh_buf *mh_arrive_said;

void mh_arrive_say(const char *a, const char *b, const char *c)
{
    MH_BUF(text, 1200);

    mh_buf_add(&text, "mishap: ");
    mh_buf_add(&text, a);
    mh_buf_add(&text, b);
    mh_buf_add(&text, c);
    if (mh_arrive_said) {
        mh_buf_add(mh_arrive_said, mh_arrive_said->len ? "\n" : "");
        mh_buf_add(mh_arrive_said, text.data + strlen("mishap: "));
        return;
    }
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
        mh_arrive_say(text.data, "", "");
    }
    mh_arrive_say("the scenario has mistakes: nothing is injected", "", "");
}

static bool takes_part(const struct mh_settings *settings, struct mh_rules *rules)
{
    char exe[512] = "";
    struct mh_buf line = {command_line, sizeof(command_line), 0, false};
    long n = mh_sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof(exe) - 1);

    exe[n > 0 ? n : 0] = '\0';
    proc_read("/proc/self/cmdline", &line);
    if (!settings->any && !mh_rules_takes_part(rules, exe, command_line))
        return false;
    mh_rules_bind(rules, exe, command_line);
    return true;
}

/* Loads the scenario; with mistakes it holds no faults and *ret_good is false. NULL when this
 * process does not take part: others are left alone, without a word. */
static struct mh_rules *rules_load(const struct mh_settings *settings, bool *ret_good)
{
    struct mh_mistakes *mistakes = pages(sizeof(*mistakes));
    struct mh_rules *rules = pages(sizeof(*rules));
    int r = 0;

    if (!rules || !mistakes)
        return NULL;
    rules->stop_after_ns = INT64_C(900000000000);
    if (settings->config && *settings->config)
        r = mh_rules_load(settings->config, rules, mistakes);
    *ret_good = r == 0;
    if (!takes_part(settings, rules)) {
        mh_sys(SYS_munmap, rules, sizeof(*rules));
        rules = NULL;
    } else if (r) {
        complain(mistakes);
    }
    mh_sys(SYS_munmap, mistakes, sizeof(*mistakes));
    return rules;
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

/* Where to record: as asked, or a new directory below ./mishap-out. */
static void out_find(const char *out)
{
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
        mh_arrive_say(mh_guest.out,
                      " holds a run of another version of mishap; give a directory of its own",
                      nothing);
    else if (r == -EBADMSG)
        mh_arrive_say(mh_guest.out, " holds a file 'control' that is not a run's", nothing);
    else
        mh_arrive_say("cannot write to ", mh_guest.out, nothing);
}

/* Tells the run's page what it was started with; paths are made absolute. */
static void tell_run(const char *config)
{
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
static void seed_choose(const char *given)
{
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

int mh_recording_begin(enum mh_begun how)
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
    mh_event(process, command_line, strlen(command_line), .pid = mh_guest.pid,
             .ppid = mh_sys6(SYS_getppid, 0, 0, 0, 0, 0, 0), .started_at = mh_guest.started_at,
             .wall_ns = mh_now_wall(), .python = mh_python_version(),
             .forked = how == MH_BEGUN_forked, .seed = (int64_t)mh_guest.rules->seed,
             .ordinal = (int64_t)mh_guest.ordinal, .attached = how == MH_BEGUN_attached,
             .digests = mh_control_digests(mh_guest.control));
    mh_event(calls, calls + 1, sizeof(calls) - 2, .count = MH_CALL_COUNT);
    mh_event(origin, NULL, 0, .origin_at = mh_guest.control->origin_at);
    record_scenario();
    if (bad_config)
        mh_note(MH_NOTE_bad_config, 0, false, "the scenario has mistakes: nothing is injected");
    if (mh_rules_ask(mh_guest.rules->by_stack) && !mh_python_known())
        mh_note(MH_NOTE_no_places, 1, true,
                "no stacks of Python can be read in this process: faults with 'stack' cannot fire");
    return 0;
}

void mh_standard_streams(void)
{
    for (int fd = 1; fd <= 2; fd++) {
        struct mh_desc *d =
            mh_sys(SYS_fcntl, fd, F_GETFL, 0) >= 0 ? mh_fd_new(fd, MH_DESC_log) : NULL;

        if (d)
            d->sink = fd;
    }
}

int mh_arrive(const struct mh_settings *settings)
{
    struct mh_control *control;
    struct mh_rules *rules;
    bool good = true;
    int r;

    mh_guest.pid = mh_sys_getpid();
    rules = rules_load(settings, &good);
    if (!rules)
        return 1;
    if (settings->attached && !good)
        return -EINVAL;
    out_find(settings->out);
    r = mh_control_open(mh_guest.out, true, &control);
    if (r < 0) {
        complain_control(r);
        return r;
    }
    __atomic_store_n(&mh_guest.control, control, __ATOMIC_RELEASE);
    __atomic_store_n(&mh_guest.rules, rules, __ATOMIC_RELEASE);
    if (good)
        tell_run(settings->config);
    mh_python_init();
    mh_python_leave_alone(rules->nfiles && !rules->outcomes);
    mh_caller_init();
    seed_choose(settings->seed);
    mh_live_init();
    bad_config = !good;
    return 0;
}
