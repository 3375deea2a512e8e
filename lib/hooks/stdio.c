/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes through streams. What a fault does, libc is made to do itself: for the time of the call
 * the stream has no descriptor, or one at its end. So what becomes of the bytes in the buffer, of
 * the stream and of the answer is libc's own; only the errno is the fault's. Short counts are not
 * to be had, since libc makes up for them before its caller sees any. */
#include "hooks/stdio.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"
#include "fd/decide.h"
#include "hooks/bytes.h"
#include "hooks/disk.h"
#include "hooks/files.h"

#include "base/banned.h"

/* Takes the stream, as libc's call will: who delays it holds it, as a slow disk does. Of one that
 * no fault is about it is enough to see whether the call really fails. */
static bool hold(struct mh_stdio *s, FILE *f)
{
    *s = (struct mh_stdio){.kind = s->kind,
                           .call = s->call,
                           .f = f,
                           .fd = MH_STREAM_FD(f),
                           .verdict.fault = -1,
                           .size = -1};
    s->d = mh_fd_get(s->fd);
    if (!s->d || (s->d->kind != MH_DESC_file && s->d->kind != MH_DESC_log))
        return false;
    s->armed = (s->d->armed & MH_OP_BIT(s->kind)) != 0;
    s->trouble = ferror_unlocked(f) != 0;
    errno = mh_thread.saved_errno;
    if (!s->armed)
        return true;
    flockfile(f);
    s->slot = mh_stream_slot(f);
    errno = mh_thread.saved_errno;
    if (s->slot && *s->slot == s->fd)
        return true;
    funlockfile(f);
    return false;
}

bool mh_stdio_begin(struct mh_stdio *s, FILE *f)
{
    if (hold(s, f))
        return true;
    mh_guest_leave();
    return false;
}

static int64_t position(const struct mh_stdio *s)
{
    return mh_sys(SYS_lseek, s->fd, 0, SEEK_CUR);
}

static int64_t record(const struct mh_stdio *s, const struct mh_verdict *v, int effect, int err)
{
    return mh_record(&(struct mh_story){.kind = s->kind,
                                        .call = s->call,
                                        .fd = s->fd,
                                        .d = s->d,
                                        .asked = s->pending + s->asked,
                                        .result = -1,
                                        .err = err,
                                        .timeout_ns = -1,
                                        .verdict = v,
                                        .effect = effect});
}

/* Bytes of a stream that do not fit are lost as a whole. */
static void within(struct mh_stdio *s)
{
    uint64_t n = s->pending + s->asked;
    struct mh_verdict v;

    s->size = mh_disk_size(s->fd, s->d->path);
    if (s->size < 0 || mh_disk_room(s->d, s->fd, -1, n, s->size, &v) >= n)
        return;
    s->watch = record(s, &v, MH_EFFECT_disk, ENOSPC);
    s->err = s->watch ? ENOSPC : 0;
}

void mh_stdio_goes(struct mh_stdio *s, uint64_t n)
{
    ssize_t answer = 0;

    s->went = true;
    s->asked = n;
    s->at = s->kind == MH_OP_read ? position(s) : 0;
    s->pending = s->kind == MH_OP_write ? __fpending(s->f) : 0;
    if (mh_file_fault(s->kind, s->call, s->fd, s->d, s->pending + n, &s->verdict, &s->watch,
                      &answer)) {
        s->err = (int)-answer;
        s->ended = !answer && mh_sys(SYS_lseek, s->fd, 0, SEEK_END) >= 0;
    } else if (s->kind == MH_OP_write) {
        within(s);
    }
    if (s->err)
        *s->slot = -1;
    errno = mh_thread.saved_errno;
}

/* It is over, and the stream is still held: what passed takes its time, and has its room. */
static void moved(struct mh_stdio *s)
{
    int64_t n, left;

    if (s->kind == MH_OP_read) {
        n = position(s) - s->at;
        s->d->delivered += n > 0 ? (uint64_t)n : 0;
    } else {
        left = (int64_t)__fpending(s->f);
        n = (int64_t)(s->pending + s->asked) - left;
        if (s->size >= 0)
            mh_disk_changed(s->d->path, mh_disk_size(s->fd, s->d->path) - s->size);
    }
    if (n > 0 && s->verdict.rate)
        mh_file_slow(s->kind, s->call, s->fd, s->d, &s->verdict, (uint64_t)n);
}

/* Lets go of the stream. Returns what libc's call left in errno, or was to leave there; negative:
 * it has failed by it. */
static int settle(struct mh_stdio *s)
{
    int err = errno;
    bool failed = !s->trouble && ferror_unlocked(s->f);

    if (s->err) {
        *s->slot = s->fd;
        err = s->err;
        failed = true;
    } else if (s->ended) {
        mh_sys(SYS_lseek, s->fd, s->at, SEEK_SET);
    } else if (failed) {
        s->watch = mh_errno_is_failure(err) ? record(s, NULL, 0, err) : 0;
    } else if (s->went) {
        moved(s);
    }
    if (s->armed)
        funlockfile(s->f);
    return failed ? -err : err;
}

void mh_stdio_end(struct mh_stdio *s)
{
    int err = settle(s);

    if (s->watch)
        mh_finish(MH_MIN(err, 0), s->watch);
    else
        mh_guest_leave_errno(err < 0 ? -err : err);
}

bool mh_stream_seeks(FILE *f, int delim, size_t most)
{
    return most && __freadable(f) && !feof_unlocked(f) && !mh_stream_holds(f, delim, most);
}

bool mh_stream_spills(FILE *f, const char *bytes, size_t held, size_t n)
{
    return n && __fwritable(f) &&
           (mh_stream_overflows(f, n) || (__flbf(f) && memchr(bytes, '\n', held)));
}

/* More is not looked at, and would hardly fit into a stream's buffer. */
void mh_stdio_prints(struct mh_stdio *s, const char *format, va_list ap)
{
    char text[4096];
    va_list again;
    int n;

    if (!s->armed)
        return;
    va_copy(again, ap);
    n = vsnprintf(text, sizeof(text), format, again);
    va_end(again);
    if (n > 0 && mh_stream_spills(s->f, text, MH_MIN((size_t)n, sizeof(text) - 1), (size_t)n))
        mh_stdio_goes(s, (uint64_t)n);
    errno = mh_thread.saved_errno;
}

int mh_stdio_drain(enum mh_call call, FILE *f, int64_t *watch)
{
    struct mh_stdio s = {.kind = MH_OP_write, .call = call};
    int r, err;

    if (!__fpending(f) || !hold(&s, f))
        return 0;
    if (s.armed)
        mh_stdio_goes(&s, 0);
    r = MH_REAL(fflush)(f);
    err = settle(&s);
    *watch = s.watch;
    return r ? -MH_MAX(err, -err) : 0;
}

MH_STREAM(read, size_t, fread, (void *restrict p, size_t size, size_t n, FILE *restrict f),
          (p, size, n, f), false, mh_stream_wants(f, size *n), size *n)
MH_STREAM(read, size_t, fread_unlocked, (void *restrict p, size_t size, size_t n, FILE *restrict f),
          (p, size, n, f), false, mh_stream_wants(f, size *n), size *n)

#define LINE(name)                                                                                 \
    MH_STREAM(read, char *, name, (char *restrict line, int n, FILE *restrict f), (line, n, f),    \
              false, n > 1 && mh_stream_seeks(f, '\n', (size_t)n - 1), (size_t)n - 1)
LINE(fgets)
LINE(fgets_unlocked)

#define GET(name)                                                                                  \
    MH_STREAM(read, int, name, (FILE * f), (f), MH_STREAM_HAS(f), mh_stream_wants(f, 1), 1)
GET(fgetc)
GET(fgetc_unlocked)
GET(getc)
GET(getc_unlocked)
GET(_IO_getc)

/* Of any length. */
static bool goes_until(FILE *f, int delim)
{
    return !mh_stream_stuck(f) && mh_stream_seeks(f, delim, SIZE_MAX);
}

#define UNTIL(name)                                                                                \
    MH_STREAM(read, ssize_t, name,                                                                 \
              (char **restrict line, size_t *restrict n, int delim, FILE *restrict f),             \
              (line, n, delim, f), false, goes_until(f, delim), 1)
UNTIL(getdelim)
UNTIL(__getdelim)
MH_STREAM(read, ssize_t, getline, (char **restrict line, size_t *restrict n, FILE *restrict f),
          (line, n, f), false, goes_until(f, '\n'), 1)

MH_STREAM(write, size_t, fwrite, (const void *restrict p, size_t size, size_t n, FILE *restrict f),
          (p, size, n, f), false, mh_stream_spills(f, p, size *n, size *n), size *n)
MH_STREAM(write, size_t, fwrite_unlocked,
          (const void *restrict p, size_t size, size_t n, FILE *restrict f), (p, size, n, f), false,
          mh_stream_spills(f, p, size *n, size *n), size *n)
MH_STREAM(write, int, fputs, (const char *restrict text, FILE *restrict f), (text, f), false,
          mh_stream_spills(f, text, strlen(text), strlen(text)), strlen(text))
MH_STREAM(write, int, fputs_unlocked, (const char *restrict text, FILE *restrict f), (text, f),
          false, mh_stream_spills(f, text, strlen(text), strlen(text)), strlen(text))

#define PUT(name)                                                                                  \
    MH_STREAM(write, int, name, (int c, FILE *f), (c, f), MH_STREAM_TAKES(f),                      \
              mh_stream_spills(f, &(char){(char)c}, 1, 1), 1)
PUT(fputc)
PUT(fputc_unlocked)
PUT(putc)
PUT(putc_unlocked)
PUT(_IO_putc)

/* Without a stream it is about all of them. */
#define FLUSH(name)                                                                                \
    MH_STREAM_SLOW(write, int, name, (FILE * f), (f), false, __fpending(f) > 0, 0)                 \
    MH_PUBLIC int name(FILE *f)                                                                    \
    {                                                                                              \
        return !f ? MH_REAL(name)(f) : mh_stream_idle(f) ? mh_real.name(f) : slow_##name(f);       \
    }
FLUSH(fflush)
FLUSH(fflush_unlocked)

MH_PUBLIC int vfprintf(FILE *restrict f, const char *restrict format, va_list ap)
{
    int ret;

    MH_PRINT(ret, vfprintf, MH_REAL(vfprintf)(f, format, ap));
    return ret;
}

MH_PUBLIC int fprintf(FILE *restrict f, const char *restrict format, ...)
{
    va_list ap;
    int ret;

    va_start(ap, format);
    MH_PRINT(ret, fprintf, MH_REAL(vfprintf)(f, format, ap));
    va_end(ap);
    return ret;
}
