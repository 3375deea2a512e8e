/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream of glibc is about to do, and the names that only glibc has for reading and writing
 * one; see stdio.h. For musl both are in musl.c. */
#include <stdio.h>
#include <string.h>

#include "hooks/stdio.h"

#include "base/banned.h"

/* Flags of a stream that its header does not tell; gnulib relies on them, too. */
enum { IN_BACKUP = 0x100, LINES = 0x200, PUTTING = 0x800 };

/* A stream sees by its descriptor how large its buffer should be: it gets that before. */
int *mh_stream_slot(FILE *f)
{
    if (!f->_IO_buf_base) {
        int flags = f->_flags & LINES;

        setvbuf(f, NULL, _IOFBF, BUFSIZ); /* the size is not looked at */
        f->_flags |= flags;
    }
    return &f->_fileno;
}

/* One that has failed reads nothing more up to a delimiter. */
bool mh_stream_stuck(FILE *f)
{
    return ferror_unlocked(f) != 0;
}

/* What was put back is read first, and what was to be read then is the area that is saved. */
static size_t ahead(const FILE *f)
{
    size_t n = (size_t)(f->_IO_read_end - f->_IO_read_ptr);

    if (f->_IO_write_ptr > f->_IO_write_base)
        return 0;
    return f->_flags & IN_BACKUP ? n + (size_t)(f->_IO_save_end - f->_IO_save_base) : n;
}

/* At the end of its file a stream asks no more, but for what does not go through its buffer. */
bool mh_stream_wants(FILE *f, size_t n)
{
    size_t have = ahead(f);

    return have < n && __freadable(f) && (!feof_unlocked(f) || n - have >= __fbufsize(f));
}

bool mh_stream_holds(FILE *f, int delim, size_t most)
{
    size_t n = ahead(f), first = (size_t)(f->_IO_read_end - f->_IO_read_ptr);

    if (n >= most)
        return true;
    return n && (memchr(f->_IO_read_ptr, delim, first) ||
                 (n > first && memchr(f->_IO_save_base, delim, n - first)));
}

/* What does not fit fills the buffer, which is then written, and of the rest whole buffers at once;
 * into one that was not begun only those go. */
bool mh_stream_overflows(FILE *f, size_t n)
{
    size_t room = 0;

    if (__fbufsize(f) == 1)
        return true;
    if (__flbf(f) && f->_flags & PUTTING)
        room = (size_t)(f->_IO_buf_end - f->_IO_write_ptr);
    else if (f->_IO_write_end > f->_IO_write_ptr)
        room = (size_t)(f->_IO_write_end - f->_IO_write_ptr);
    return n > room && (room || __fpending(f) || n >= __fbufsize(f));
}

MH_STREAM(read, size_t, __fread_chk,
          (void *restrict p, size_t room, size_t size, size_t n, FILE *restrict f),
          (p, room, size, n, f), false, mh_stream_wants(f, size *n), size *n)
MH_STREAM(read, size_t, __fread_unlocked_chk,
          (void *restrict p, size_t room, size_t size, size_t n, FILE *restrict f),
          (p, room, size, n, f), false, mh_stream_wants(f, size *n), size *n)
MH_STREAM(read, char *, __fgets_chk, (char *restrict line, size_t room, int n, FILE *restrict f),
          (line, room, n, f), false, n > 1 && mh_stream_seeks(f, '\n', (size_t)n - 1),
          (size_t)n - 1)
MH_STREAM(read, char *, __fgets_unlocked_chk,
          (char *restrict line, size_t room, int n, FILE *restrict f), (line, room, n, f), false,
          n > 1 && mh_stream_seeks(f, '\n', (size_t)n - 1), (size_t)n - 1)
MH_STREAM(read, int, __uflow, (FILE * f), (f), MH_STREAM_HAS(f), mh_stream_wants(f, 1), 1)
MH_STREAM(read, int, __underflow, (FILE * f), (f), MH_STREAM_HAS(f), mh_stream_wants(f, 1), 1)
MH_STREAM(write, int, __overflow, (FILE * f, int c), (f, c), c != EOF && MH_STREAM_TAKES(f),
          c == EOF ? __fpending(f) > 0 : mh_stream_spills(f, &(char){(char)c}, 1, 1), c != EOF)

__attribute__((format(printf, 3, 0))) MH_PUBLIC int
__vfprintf_chk(FILE *restrict f, int level, const char *restrict format, va_list ap);
MH_PUBLIC int __vfprintf_chk(FILE *restrict f, int level, const char *restrict format, va_list ap)
{
    int ret;

    MH_PRINT(ret, __vfprintf_chk, MH_REAL(__vfprintf_chk)(f, level, format, ap));
    return ret;
}

__attribute__((format(printf, 3, 4))) MH_PUBLIC int __fprintf_chk(FILE *restrict f, int level,
                                                                  const char *restrict format, ...);
MH_PUBLIC int __fprintf_chk(FILE *restrict f, int level, const char *restrict format, ...)
{
    va_list ap;
    int ret;

    va_start(ap, format);
    MH_PRINT(ret, __fprintf_chk, MH_REAL(__vfprintf_chk)(f, level, format, ap));
    va_end(ap);
    return ret;
}
