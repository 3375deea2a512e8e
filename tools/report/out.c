/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that grows, and the one place where a report reaches the disk. */
#include "report/out.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"

void mh_out_done(struct mh_out *out)
{
    free(out->data);
    *out = (struct mh_out){.error = 0};
}

static bool reserve(struct mh_out *out, size_t more)
{
    size_t size = out->size ? out->size : 4096;
    char *data;

    if (out->error)
        return false;
    while (size < out->len + more + 1)
        size *= 2;
    if (size == out->size)
        return true;
    data = realloc(out->data, size);
    if (!data) {
        out->error = -ENOMEM;
        return false;
    }
    out->data = data;
    out->size = size;
    return true;
}

void mh_out_add_n(struct mh_out *out, const char *bytes, size_t n)
{
    if (!reserve(out, n))
        return;
    memcpy(out->data + out->len, bytes, n);
    out->len += n;
    out->data[out->len] = '\0';
}

void mh_out_add(struct mh_out *out, const char *text)
{
    mh_out_add_n(out, text, strlen(text));
}

void mh_out_repeat(struct mh_out *out, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        mh_out_add(out, text);
}

void mh_out_printf(struct mh_out *out, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        out->error = out->error ? out->error : -EINVAL;
        return;
    }
    if (!reserve(out, (size_t)n))
        return;
    va_start(args, format);
    vsnprintf(out->data + out->len, (size_t)n + 1, format, args);
    va_end(args);
    out->len += (size_t)n;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static bool is_stdout(const char *path)
{
    return !path || !strcmp(path, "-");
}

/* A file that exists and is no regular one must not be replaced by one. */
static bool is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int save_in_place(const struct mh_out *out, const char *path)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? -errno : write_all(fd, out->data, out->len);
}

static int save_by_rename(const struct mh_out *out, const char *path)
{
    size_t size = strlen(path) + sizeof(".XXXXXX");
    _cleanup_free_ char *temporary = malloc(size);
    mode_t mask = umask(0);
    int fd, r;

    umask(mask);
    if (!temporary)
        return -ENOMEM;
    snprintf(temporary, size, "%s.XXXXXX", path);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    r = write_all(fd, out->data, out->len);
    if (r == 0 && (fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0))
        r = -errno;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(temporary);
    return r;
}

int mh_out_save(const struct mh_out *out, const char *path)
{
    if (out->error)
        return out->error;
    if (is_stdout(path)) {
        /* What was printed before this must come before it. */
        if (fflush(stdout) == EOF)
            return -errno;
        return write_all(STDOUT_FILENO, out->data, out->len);
    }
    return is_special(path) ? save_in_place(out, path) : save_by_rename(out, path);
}

int mh_out_check(const char *path)
{
    _cleanup_free_ char *copy = NULL;
    struct stat st;

    if (is_stdout(path))
        return 0;
    if (!*path)
        return -ENOENT;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return -EISDIR;
    if (is_special(path))
        return access(path, W_OK) < 0 ? -errno : 0;
    copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    return access(dirname(copy), W_OK | X_OK) < 0 ? -errno : 0;
}
