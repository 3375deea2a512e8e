/* SPDX-License-Identifier: Apache-2.0 */
/* A short run of an interpreter in a directory of its own; see probe.h. */
#include "run/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "event/read.h"

#include "base/banned.h"

enum { PATIENCE_MS = 15000 };

/* A real failure is recorded with its stack, whatever the scenario says. Nobody listens at port 1.
 */
static const char code[] =
    "import _socket\n_socket.socket().connect_ex(('127.0.0.1', 1))\nimport os, sys\n"
    "try:\n"
    " import site\n"
    " home = os.path.dirname(os.path.dirname(sys.executable))\n"
    " if os.path.exists(home + '/pyvenv.cfg'): sys.prefix = sys.exec_prefix = home\n"
    " with open(os.environ['MISHAP_OUT'] + '/roots', 'w') as f:\n"
    "  f.write('\\n'.join(d for d in site.getsitepackages([sys.prefix, sys.exec_prefix]) if "
    "os.path.isdir(d)))\n"
    "except Exception: pass\n"
    "os._exit(0)\n";

static void child(const char *python, const char *library, const char *dir)
{
    char text[512];
    int nothing = open("/dev/null", O_RDWR), err;

    snprintf(text, sizeof(text), "%s/stderr", dir);
    err = open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    dup2(nothing, 0);
    dup2(nothing, 1);
    dup2(err, 2);
    setpgid(0, 0);
    snprintf(text, sizeof(text), "%s/any.ini", dir);
    setenv("LD_PRELOAD", library, 1);
    setenv("MISHAP_OUT", dir, 1);
    setenv("MISHAP_CONFIG", text, 1);
    unsetenv("MISHAP_DISABLE");
    execlp(python, python, "-S", "-c", code, (char *)NULL);
    _exit(127);
}

static int write_scenario(const char *dir)
{
    char path[300];
    FILE *f;
    int r;

    snprintf(path, sizeof(path), "%s/any.ini", dir);
    f = fopen(path, "we");
    if (!f)
        return -errno;
    r = fputs("[run]\nprocesses = *\n", f) == EOF ? -EIO : 0;
    return fclose(f) == EOF ? -EIO : r;
}

static int wait_for(pid_t pid)
{
    int status;

    for (int ms = 0; ms < PATIENCE_MS; ms += 10) {
        pid_t r = waitpid(pid, &status, WNOHANG);

        if (r < 0 && errno != EINTR)
            return -errno;
        if (r == pid)
            return 0;
        usleep(10000);
    }
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -ETIMEDOUT;
}

static void read_recording(const char *path, struct mh_probe *ret)
{
    struct mh_record record;
    struct mh_reader *r = NULL;

    if (mh_reader_open(path, &r) < 0)
        return;
    while (mh_reader_next(r, &record) > 0) {
        if (record.type == MH_EVENT_process) {
            struct mh_ev_process e = mh_record_as(&record, process);

            ret->loaded = true;
            if (e.python)
                ret->python = (uint32_t)e.python;
        }
        ret->stacks |= record.type == MH_EVENT_stack && !mh_record_as(&record, stack).native;
    }
    mh_reader_free(r);
}

static void read_roots(const char *path, struct mh_probe *ret)
{
    FILE *f = fopen(path, "re");

    if (!f)
        return;
    ret->roots[fread(ret->roots, 1, sizeof(ret->roots) - 1, f)] = '\0';
    fclose(f);
}

static void read_stderr(const char *path, struct mh_probe *ret)
{
    FILE *f = fopen(path, "re");

    if (!f)
        return;
    if (!fgets(ret->said, sizeof(ret->said), f))
        ret->said[0] = '\0';
    ret->said[strcspn(ret->said, "\n")] = '\0';
    fclose(f);
}

/* Reads what is in the directory, and removes it. */
static void collect(const char *dir, struct mh_probe *ret)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while (d && (e = readdir(d))) {
        const char *suffix = strrchr(e->d_name, '.');
        char path[600];

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (suffix && !strcmp(suffix, ".mhr"))
            read_recording(path, ret);
        else if (!strcmp(e->d_name, "roots"))
            read_roots(path, ret);
        else if (!strcmp(e->d_name, "stderr"))
            read_stderr(path, ret);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

int mh_probe_run(const char *python, const char *library, struct mh_probe *ret)
{
    const char *tmp = getenv("TMPDIR");
    char dir[256];
    pid_t pid;
    int r;

    *ret = (struct mh_probe){false};
    snprintf(dir, sizeof(dir), "%s/mishap-doctor-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return -errno;
    r = write_scenario(dir);
    if (!r) {
        pid = fork();
        if (pid == 0)
            child(python, library, dir);
        r = pid < 0 ? -errno : wait_for(pid);
    }
    collect(dir, ret);
    return r;
}
