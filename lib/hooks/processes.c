/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: fork and what starts one without it, becoming another program, the end. A child gets
 * the library by its environment; whether it takes part is its own affair (`processes =`). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/sys.h"
#include "event/write.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

MH_PUBLIC pid_t fork(void)
{
    if (mh_limit_refuses(MH_OP_fork, MH_CALL_fork))
        return -1;
    return MH_REAL(fork)();
}

/* It tells by its result, not by errno. 0: let it pass. */
static int spawn_refused(enum mh_call call)
{
    int saved = errno, err;

    if (!mh_limit_refuses(MH_OP_fork, call))
        return 0;
    err = errno;
    errno = saved;
    return err;
}

MH_PUBLIC int posix_spawn(pid_t *restrict pid, const char *restrict path,
                          const posix_spawn_file_actions_t *restrict actions,
                          const posix_spawnattr_t *restrict attr, char *const argv[restrict],
                          char *const env[restrict])
{
    int err = spawn_refused(MH_CALL_posix_spawn);

    return err ? err : MH_REAL(posix_spawn)(pid, path, actions, attr, argv, env);
}

MH_PUBLIC int posix_spawnp(pid_t *restrict pid, const char *restrict file,
                           const posix_spawn_file_actions_t *restrict actions,
                           const posix_spawnattr_t *restrict attr, char *const argv[restrict],
                           char *const env[restrict])
{
    int err = spawn_refused(MH_CALL_posix_spawnp);

    return err ? err : MH_REAL(posix_spawnp)(pid, file, actions, attr, argv, env);
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

#define EXEC(name, ...)                                                                            \
    do {                                                                                           \
        int r_;                                                                                    \
        if (mh_limit_refuses(MH_OP_exec, MH_CALL_##name))                                          \
            return -1;                                                                             \
        recording_ends(true);                                                                      \
        r_ = MH_REAL(name)(__VA_ARGS__);                                                           \
        recording_ends(false);                                                                     \
        return r_;                                                                                 \
    } while (0)

MH_PUBLIC int execve(const char *path, char *const argv[], char *const env[])
{
    EXEC(execve, path, argv, env);
}

MH_PUBLIC int execv(const char *path, char *const argv[])
{
    EXEC(execv, path, argv);
}

MH_PUBLIC int execvp(const char *file, char *const argv[])
{
    EXEC(execvp, file, argv);
}

MH_PUBLIC int execvpe(const char *file, char *const argv[], char *const env[])
{
    EXEC(execvpe, file, argv, env);
}

MH_PUBLIC int fexecve(int fd, char *const argv[], char *const env[])
{
    EXEC(fexecve, fd, argv, env);
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
    int r;

    if (mh_limit_refuses(MH_OP_exec, MH_CALL_execveat))
        return -1;
    recording_ends(true);
    r = real_execveat(dir, path, argv, env, flags);
    recording_ends(false);
    return r;
}
