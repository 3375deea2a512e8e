/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the snippet of one call: `snippets NAME [main|thread|fork|constructor]`, `snippets` lists
 * the rows. The table is hooks.def, so that a row without its file does not link. The answer is one
 * word and a number on stdout, without stdio: it must come through when malloc fails. */
#include "snippet.h"

#include <pthread.h>

static const struct {
    const char *op, *name;
    int (*run)(void);
} snippets[] = {
#define HOOK(op, ret, name, params) {#op, #name, snippet_##name},
#include "table/hooks_here.def"
#undef HOOK
};
enum { N = sizeof(snippets) / sizeof(*snippets) };

long past_result(long r)
{
    if (r >= 0 || r < -4095)
        return r;
    errno = (int)-r;
    return -1;
}

char *const exit_seven[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                            (char *)(uintptr_t) "exit 7", NULL};

int seven(pid_t pid)
{
    int status = 0;

    WANT(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    if (WEXITSTATUS(status) > 100)
        return WEXITSTATUS(status) - 100;
    WANT(WEXITSTATUS(status) == 7);
    return 0;
}

int listener(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
        return -1;
    return fd;
}

int dial(int fd, int to)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);

    if (getsockname(to, (struct sockaddr *)&at, &len))
        return -1;
    return connect(fd, (struct sockaddr *)&at, len);
}

int pair(int p[2])
{
    int l = listener();

    p[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (l < 0 || p[0] < 0 || dial(p[0], l))
        return -1;
    p[1] = accept(l, NULL, NULL);
    close(l);
    return p[1] < 0 ? -1 : 0;
}

void done(int a, int b)
{
    close(a);
    close(b);
}

int syscall_open(const char *path)
{
    return (int)past(SYS_openat, AT_FDCWD, path, O_RDWR);
}

int make_file(void)
{
    int fd = (int)past(SYS_openat, AT_FDCWD, "snippet.tmp", O_RDWR | O_CREAT | O_TRUNC, 0644);
    int r = fd >= 0 && past(SYS_write, fd, "hello world", 11) == 11 ? 0 : -1;

    past(SYS_close, fd);
    return r;
}

/* Through open64(), so that the library knows what the descriptor is. */
int temp_file(void)
{
    return make_file() ? -1 : open64("snippet.tmp", O_RDWR);
}

mode_t mask(void)
{
    mode_t m = umask(0);

    umask(m);
    return m;
}

static void say(const char *word, int number)
{
    char text[64], digits[16];
    size_t n = strlen(word), d = 0;

    memcpy(text, word, n);
    text[n++] = ' ';
    do
        digits[d++] = (char)('0' + number % 10);
    while (number /= 10);
    while (d)
        text[n++] = digits[--d];
    text[n++] = '\n';
    past(SYS_write, 1, text, n);
}

static int report(int r)
{
    if (!r)
        say("ok", 0);
    else if (r == SHORT)
        say("short", 0);
    else if (r >= EAI_BASE / 2 + SHORT / 2)
        say("eai", r - EAI_BASE);
    else if (r > 0)
        say("errno", r);
    else
        say("wrong", -r);
    return 0;
}

static int run(const char *name)
{
    for (unsigned i = 0; i < N; i++)
        if (!strcmp(snippets[i].name, name))
            return snippets[i].run();
    return -1;
}

static void *in_thread(void *name)
{
    return (void *)(intptr_t)run(name);
}

/* As early as code of a program can run: before main, perhaps before the library's own start. */
__attribute__((constructor(101))) static void early(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[2], "constructor")) {
        report(run(argv[1]));
        _exit(0);
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 2 ? argv[2] : "main";
    pthread_t thread;
    void *r;

    if (argc < 2) {
        for (unsigned i = 0; i < N; i++)
            printf("%s %s\n", snippets[i].op, snippets[i].name);
        return 0;
    }
    if (!strcmp(how, "thread")) {
        if (pthread_create(&thread, NULL, in_thread, argv[1]) || pthread_join(thread, &r))
            return 1;
        return report((int)(intptr_t)r);
    }
    if (!strcmp(how, "fork")) {
        int status = 1;
        pid_t pid = fork();

        if (pid == 0)
            _exit(report(run(argv[1])));
        return waitpid(pid, &status, 0) == pid ? status : 1;
    }
    return report(run(argv[1]));
}
