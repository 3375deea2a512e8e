/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of attaching and detaching, as calls of one thread of the process; see load.h. While
 * they last, signals that would end us wait: a thread left in the middle would be lost. */
#include "attach/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#include "attach/filter.h"
#include "attach/tracee.h"
#include "base/macros.h"
#include "cmd.h"
#include "control/attach.h"
#include "log.h"

#include "base/banned.h"

enum {
    ROOM = 1 << 20,    /* of the stack that calls run on */
    LEAVE_MS = 150,    /* until who waited for something held back has seen that it is free */
    NODELETE = 0x1000, /* RTLD_NODELETE: a thread may be in a hook for ever */
};

/* One thread of the process, at our service. */
struct session {
    struct mh_target *target;
    struct mh_tracee tracee;
    uintptr_t scratch; /* memory of the process: text first, stack behind it */
    uintptr_t error;   /* where its errno is */
    int saved_error;
    sigset_t signals;
};

static int call(struct session *s, const char *name, uint64_t a, uint64_t b, uint64_t c,
                uint64_t *ret)
{
    uintptr_t function = mh_maps_symbol(s->target->mem, s->target->libc, name);

    return function ? mh_tracee_call(&s->tracee, function, a, b, c, ret) : -ENOSYS;
}

static int trouble(const struct session *s, int r)
{
    if (r == -EFAULT || r == -ETIMEDOUT)
        mh_log("process %d did not do what it was asked: a call made in it %s", (int)s->target->pid,
               r == -EFAULT ? "crashed" : "did not return");
    else
        mh_target_refused(s->target, r);
    return MH_EXIT_TROUBLE;
}

/* Would seccomp end the process for what the library does, or keep the library from it? */
static bool is_refused(const struct session *s)
{
    const struct mh_target *t = s->target;
    const char *name = "";

    switch (mh_filter_ask(s->tracee.tid, &name)) {
    case MH_FILTER_allows:
        return false;
    case MH_FILTER_refuses:
        mh_log("process %d is under seccomp, which does not let it call %s()", (int)t->pid, name);
        return true;
    default:
        if (t->filtered_as_we)
            return false;
        mh_log(
            "process %d is under seccomp, and what it may do cannot be read: attach as root, from "
            "outside of its container",
            (int)t->pid);
        return true;
    }
}

static int session_begin(struct session *s, struct mh_target *t)
{
    sigset_t block;
    uint64_t got;
    int r;

    *s = (struct session){.target = t};
    sigfillset(&block);
    sigprocmask(SIG_BLOCK, &block, &s->signals);
    r = mh_tracee_catch(&s->tracee, t->pid, t->mem, &t->maps);
    if (r == -ETIMEDOUT) {
        mh_log("no thread of process %d came to a place where a library can be loaded, within %d s",
               (int)t->pid, MH_TRACEE_PATIENCE_MS / 1000);
        return MH_EXIT_TROUBLE;
    }
    if (!r && t->filtered && is_refused(s))
        return MH_EXIT_MISUSE;
    if (!r)
        r = call(s, "__errno_location", 0, 0, 0, &got);
    if (!r) {
        s->error = got;
        r = pread(t->mem, &s->saved_error, sizeof(int), (off_t)got) == sizeof(int) ? 0 : -EIO;
    }
    if (!r)
        r = call(s, "malloc", MH_ATTACH_TEXT + ROOM, 0, 0, &got);
    if (!r && !got)
        r = -ENOMEM;
    if (r)
        return trouble(s, r);
    s->scratch = got;
    s->tracee.stack = s->scratch + MH_ATTACH_TEXT;
    s->tracee.room = ROOM;
    return MH_EXIT_OK;
}

static void session_end(struct session *s)
{
    uint64_t got;

    mh_tracee_free_others(&s->tracee);
    if (s->scratch) {
        s->tracee.stack = 0;
        call(s, "free", s->scratch, 0, 0, &got);
        mh_tracee_write(&s->tracee, s->error, &s->saved_error, sizeof(int));
    }
    mh_tracee_release(&s->tracee);
    sigprocmask(SIG_SETMASK, &s->signals, NULL);
}

static int put_text(struct session *s, const char *text)
{
    size_t n = strlen(text) + 1;

    return n > MH_ATTACH_TEXT ? -E2BIG : mh_tracee_write(&s->tracee, s->scratch, text, n);
}

/* dlopen() there. Returns 0, -ENOENT when it refuses, or another negative errno. */
static int open_path(struct session *s, const char *path)
{
    const struct mh_target *t = s->target;
    uint64_t handle = 0;
    int r = put_text(s, path);

    if (!r)
        r = mh_tracee_call(&s->tracee, t->dlopen, s->scratch,
                           (uint64_t)(RTLD_NOW | NODELETE | t->dlopen_flags), 0, &handle);
    return r ? r : handle ? 0 : -ENOENT;
}

/* What the linker had against it. */
static void say_refused(struct session *s)
{
    uintptr_t dlerror = mh_maps_symbol(s->target->mem, s->target->libc, "dlerror");
    uint64_t text = 0;
    char why[512] = "";

    if (!dlerror)
        dlerror =
            mh_maps_symbol(s->target->mem, mh_maps_object(&s->target->maps, "libdl"), "dlerror");
    if (dlerror && mh_tracee_call(&s->tracee, dlerror, 0, 0, 0, &text) == 0 && text)
        mh_tracee_text(&s->tracee, text, why, sizeof(why));
    mh_log("process %d cannot load the library%s%s%s", (int)s->target->pid, *why ? ": " : "", why,
           strstr(why, "static TLS")
               ? "; other libraries have used up what glibc keeps for such as come later: start "
                 "the program under mishap, or with GLIBC_TUNABLES="
                 "glibc.rtld.optional_static_tls=2048"
               : "");
}

/* The file as memory of the process: where it sees other files than we do. */
static int open_memory(struct session *s, const char *library)
{
    _cleanup_close_ int from = open(library, O_RDONLY | O_CLOEXEC), to = -1;
    uint64_t fd = 0, got;
    char path[64];
    ssize_t n = 1;
    int r = from < 0 ? -errno : put_text(s, "libmishap.so");

    if (!r)
        r = call(s, "memfd_create", s->scratch, MFD_CLOEXEC, 0, &fd);
    if (r || (int)fd < 0)
        return r ? r : -ENOENT;
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)s->target->pid, (int)fd);
    to = open(path, O_WRONLY | O_CLOEXEC);
    while (to >= 0 && n > 0)
        n = sendfile(to, from, NULL, 1 << 20);
    r = to < 0 || n < 0 ? -errno : 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", (int)fd);
    if (!r)
        r = open_path(s, path);
    call(s, "close", fd, 0, 0, &got);
    return r;
}

static int bring(struct session *s, const char *library)
{
    int r = mh_target_sees(s->target, library) ? open_path(s, library) : -ENOENT;

    if (r == -ENOENT)
        r = open_memory(s, library);
    if (r == -ENOENT) {
        say_refused(s);
        return MH_EXIT_TROUBLE;
    }
    if (!r)
        r = mh_target_again(s->target);
    if (!r && !s->target->library)
        r = -EFAULT;
    return r ? trouble(s, r) : MH_EXIT_OK;
}

/* Has the library take a step. Says what it answers when that is no. */
static int step(struct session *s, enum mh_attach_step which, const char *text)
{
    uintptr_t entry = mh_maps_symbol(s->target->mem, s->target->library, MH_ATTACH_ENTRY);
    char said[1024] = "";
    uint64_t got = 0;
    int r = entry ? put_text(s, text) : -ENOSYS;

    if (!entry) {
        mh_log("process %d has a library of another version of mishap in it", (int)s->target->pid);
        return MH_EXIT_TROUBLE;
    }
    if (!r)
        r = mh_tracee_call(&s->tracee, entry, which, s->scratch, MH_ATTACH_TEXT, &got);
    if (r)
        return trouble(s, r);
    if ((int)got == 0)
        return MH_EXIT_OK;
    mh_tracee_text(&s->tracee, s->scratch, said, sizeof(said));
    if (*said)
        mh_log("process %d: %s", (int)s->target->pid, said);
    else if ((int)got == -EPERM)
        mh_log("process %d was started under mishap: `mishap set %d` changes its faults",
               (int)s->target->pid, (int)s->target->pid);
    else
        mh_log_errno((int)got, "Cannot change what process %d does", (int)s->target->pid);
    return (int)got == -EALREADY || (int)got == -EPERM ? MH_EXIT_MISUSE : MH_EXIT_TROUBLE;
}

/* All threads stand still while the library learns what is open. */
static int begin(struct session *s)
{
    int r = mh_tracee_hold_others(&s->tracee), status;

    if (r == -ETIMEDOUT)
        mh_log("a thread of process %d does not stop: it waits for a device, or for a child of "
               "vfork()",
               (int)s->target->pid);
    if (r)
        return r == -ETIMEDOUT ? MH_EXIT_TROUBLE : trouble(s, r);
    status = step(s, MH_ATTACH_BEGIN, "");
    mh_tracee_free_others(&s->tracee);
    return status;
}

int mh_load_attach(struct mh_target *t, const struct mh_load *load)
{
    struct session s;
    int status = session_begin(&s, t);

    if (!status && !t->library)
        status = bring(&s, load->library);
    if (!status)
        status = step(&s, MH_ATTACH_PREPARE, load->settings);
    if (!status) {
        status = begin(&s);
        if (status)
            step(&s, MH_ATTACH_LEAVE, "");
    }
    session_end(&s);
    return status;
}

int mh_load_detach(struct mh_target *t)
{
    const struct timespec moment = {0, LEAVE_MS * 1000000L};
    struct session s;
    int status = session_begin(&s, t);

    if (!status)
        status = step(&s, MH_ATTACH_LEAVE, "");
    session_end(&s);
    if (status)
        return status;
    nanosleep(&moment, NULL);
    status = session_begin(&s, t);
    if (!status)
        status = step(&s, MH_ATTACH_CLOSE, "");
    session_end(&s);
    return status;
}
