/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: fork and what starts one without it, becoming another program, the end. A child gets
 * the library by its environment, which inherit.h sees to; whether it takes part is its own affair
 * (`processes =`). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "event/write.h"
#include "fd/decide.h"
#include "hooks/bytes.h"
#include "hooks/gate.h"
#include "hooks/inherit.h"
#include "hooks/limits.h"

#include "base/banned.h"

/* It failed by itself. Inside of the guest, which this leaves. */
static void failed(enum mh_op_kind kind, enum mh_call call, int err)
{
    mh_finish(
        -err,
        mh_record(&(struct mh_story){
            .kind = kind, .call = call, .fd = -1, .result = -1, .err = err, .timeout_ns = -1}));
}

MH_PUBLIC pid_t fork(void)
{
    pid_t pid;

    if (mh_limit_refuses(MH_OP_fork, MH_CALL_fork))
        return -1;
    pid = MH_REAL(fork)();
    if (pid < 0 && mh_gate_open(&mh_gate.fd) && mh_guest_enter())
        failed(MH_OP_fork, MH_CALL_fork, errno);
    return pid;
}

/* It is two operations, both made by libc out of sight, and tells by its result, not by errno. 0:
 * let it pass. */
MH_INLINE int spawn_refused(enum mh_call call)
{
    int saved = errno, err;

    if (!mh_limit_refuses(MH_OP_fork, call) && !mh_limit_refuses(MH_OP_exec, call))
        return 0;
    err = errno;
    errno = saved;
    return err;
}

/* Only for want of memory or of a free process there is no child; of all else its exec tells. */
MH_INLINE int spawned(enum mh_call call, int err)
{
    int saved = errno;

    if (err > 0 && mh_gate_open(&mh_gate.fd) && mh_guest_enter())
        failed(err == EAGAIN || err == ENOMEM ? MH_OP_fork : MH_OP_exec, call, err);
    errno = saved;
    return err;
}

/* Of a name without a path it is not known yet which program it will be. */
static const char *searched(const char *file)
{
    return strchr(file, '/') ? file : NULL;
}

MH_PUBLIC int posix_spawn(pid_t *restrict pid, const char *restrict path,
                          const posix_spawn_file_actions_t *restrict actions,
                          const posix_spawnattr_t *restrict attr, char *const argv[restrict],
                          char *const env[restrict])
{
    int err = spawn_refused(MH_CALL_posix_spawn);
    struct mh_heir heir;

    return err ? err
               : spawned(MH_CALL_posix_spawn,
                         MH_REAL(posix_spawn)(pid, path, actions, attr, argv,
                                              mh_inherit(&heir, AT_FDCWD, path, env)));
}

MH_PUBLIC int posix_spawnp(pid_t *restrict pid, const char *restrict file,
                           const posix_spawn_file_actions_t *restrict actions,
                           const posix_spawnattr_t *restrict attr, char *const argv[restrict],
                           char *const env[restrict])
{
    int err = spawn_refused(MH_CALL_posix_spawnp);
    struct mh_heir heir;

    return err ? err
               : spawned(MH_CALL_posix_spawnp,
                         MH_REAL(posix_spawnp)(pid, file, actions, attr, argv,
                                               mh_inherit(&heir, AT_FDCWD, searched(file), env)));
}

/* Without a command it only asks whether there is a shell. */
MH_PUBLIC int system(const char *command)
{
    if (command && mh_limit_refuses(MH_OP_fork, MH_CALL_system))
        return -1;
    return MH_REAL(system)(command);
}

MH_PUBLIC FILE *popen(const char *command, const char *mode)
{
    if (mh_limit_refuses(MH_OP_fork, MH_CALL_popen))
        return NULL;
    return MH_REAL(popen)(command, mode);
}

/* The recording of a process that becomes another program is whole; if it does not become one, it
 * goes on. */
static void recording_ends(bool ends)
{
    if (mh_gate_open(&mh_gate.fd) && mh_guest_enter()) {
        mh_writer_complete(ends);
        mh_guest_leave();
    }
}

/* A child of vfork that is refused tells its parent, which raises the error: so this is the
 * parent's operation. */
MH_INLINE bool exec_refused(enum mh_call call)
{
    return mh_gate_open(&mh_gate.fd) && mh_guest_enter_in_child() &&
           mh_limit_refused(MH_OP_exec, call);
}

/* Does a search of PATH go on after nothing was found here? Programs and shells search by trying
 * one directory after another: only that there was nothing in the last is a failure. What is
 * searched is the PATH of the environment that is handed over, as Python does it. */
static bool search_goes_on(const char *path, char *const env[])
{
    const char *list = "/bin:/usr/bin", *slash = strrchr(path, '/');
    size_t n = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);

    for (; env && *env; env++)
        if (!strncmp(*env, "PATH=", 5))
            list = *env + 5;
    for (;;) {
        size_t have = strcspn(list, ":"), end = have;

        while (have > 1 && list[have - 1] == '/')
            have--;
        if (have == n && !memcmp(list, path, n))
            return list[end] != '\0';
        if (!list[end])
            return false;
        list += end + 1;
    }
}

/* path: NULL when the call itself has searched, so that its answer is the last. */
MH_INLINE void exec_failed(enum mh_call call, const char *path, char *const env[])
{
    int err = errno;
    bool nothing = err == ENOENT || err == ENOTDIR;

    if (!(nothing ? !path || !search_goes_on(path, env) : mh_errno_is_failure(err)))
        return;
    if (mh_gate_open(&mh_gate.fd) && mh_guest_enter_in_child())
        failed(MH_OP_exec, call, err);
}

/* tried, env: as exec_failed() takes them. The call may use `heir`. */
#define EXEC(name, tried, env, ...)                                                                \
    do {                                                                                           \
        struct mh_heir heir;                                                                       \
        int r_;                                                                                    \
        if (exec_refused(MH_CALL_##name))                                                          \
            return -1;                                                                             \
        recording_ends(true);                                                                      \
        r_ = (__VA_ARGS__);                                                                        \
        recording_ends(false);                                                                     \
        exec_failed(MH_CALL_##name, tried, env);                                                   \
        return r_;                                                                                 \
    } while (0)

MH_PUBLIC int execve(const char *path, char *const argv[], char *const env[])
{
    EXEC(execve, path, env, MH_REAL(execve)(path, argv, mh_inherit(&heir, AT_FDCWD, path, env)));
}

/* Without an environment of its own the program is started by another call where that changes. */
#define OWN(name, other, file, path)                                                               \
    ({                                                                                             \
        char *const *env_ = mh_inherit(&heir, AT_FDCWD, path, environ);                            \
        env_ == environ ? MH_REAL(name)(file, argv) : MH_REAL(other)(file, argv, env_);            \
    })

MH_PUBLIC int execv(const char *path, char *const argv[])
{
    EXEC(execv, path, environ, OWN(execv, execve, path, path));
}

MH_PUBLIC int execvp(const char *file, char *const argv[])
{
    EXEC(execvp, NULL, NULL, OWN(execvp, execvpe, file, searched(file)));
}

MH_PUBLIC int execvpe(const char *file, char *const argv[], char *const env[])
{
    EXEC(execvpe, NULL, NULL,
         MH_REAL(execvpe)(file, argv, mh_inherit(&heir, AT_FDCWD, searched(file), env)));
}

MH_PUBLIC int fexecve(int fd, char *const argv[], char *const env[])
{
    EXEC(fexecve, NULL, NULL, MH_REAL(fexecve)(fd, argv, mh_inherit(&heir, fd, "", env)));
}

/* glibc has it from 2.34 on. */
static int real_execveat(int dir, const char *path, char *const argv[], char *const env[],
                         int flags)
{
    long r;

    if (mh_real.execveat)
        return mh_real.execveat(dir, path, argv, env, flags);
    r = mh_sys(SYS_execveat, dir, path, argv, env, flags);
    errno = (int)-r;
    return -1;
}

MH_PUBLIC int execveat(int dir, const char *path, char *const argv[], char *const env[], int flags)
{
    EXEC(execveat, path, env,
         real_execveat(dir, path, argv, mh_inherit(&heir, dir, path, env), flags));
}
