/* SPDX-License-Identifier: Apache-2.0 */
/* fork and exec with a pipe that tells whether exec worked; see spawn.h. */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

static size_t name_length(const char *variable)
{
    return strcspn(variable, "=");
}

static bool same_name(const char *a, const char *b)
{
    size_t n = name_length(a);

    return n == name_length(b) && !memcmp(a, b, n);
}

/* environ with the changes; only the array is new. Caller frees. */
static char **environment(char *const changes[])
{
    size_t n = 0, m = 0, used = 0;
    char **made;

    while (environ[n])
        n++;
    while (changes[m])
        m++;
    made = calloc(n + m + 1, sizeof(*made));
    if (!made)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        bool replaced = false;

        for (size_t j = 0; j < m; j++)
            replaced = replaced || same_name(environ[i], changes[j]);
        if (!replaced)
            made[used++] = environ[i];
    }
    for (size_t j = 0; j < m; j++)
        if (strchr(changes[j], '='))
            made[used++] = changes[j];
    return made;
}

_Noreturn static void child(char *const argv[], char **env, int tell, pid_t parent)
{
    sigset_t none;
    int r;

    setpgid(0, 0);
    /* A shell's background job has these ignored; the command is stopped by SIGINT, so it must not.
     */
    sigaction(SIGINT, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigaction(SIGQUIT, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent)
        execvpe(argv[0], argv, env);
    r = errno;
    if (write(tell, &r, sizeof(r)) < 0)
        _exit(126);
    _exit(127);
}

pid_t mh_spawn(char *const argv[], char *const changes[])
{
    _cleanup_free_ char **env = environment(changes);
    _cleanup_close_ int listen = -1;
    pid_t self = getpid(), pid;
    int tube[2], r = 0;

    if (!env)
        return -ENOMEM;
    if (pipe2(tube, O_CLOEXEC) < 0)
        return -errno;
    listen = tube[0];
    pid = fork();
    if (pid == 0)
        child(argv, env, tube[1], self);
    if (pid < 0)
        r = -errno;
    close(tube[1]);
    if (pid < 0)
        return r;
    setpgid(pid, pid); /* also here: whoever comes first; the other's attempt does no harm */
    if (read(listen, &r, sizeof(r)) != sizeof(r))
        return pid;
    waitpid(pid, NULL, 0);
    return r > 0 ? -r : -EIO;
}
