/* SPDX-License-Identifier: Apache-2.0 */
/* __vfprintf_chk(): values that come as a list. */
#include "snippet.h"

int __vfprintf_chk(FILE *f, int level, const char *format, va_list ap);

__attribute__((format(printf, 2, 3))) static int print(FILE *f, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = __vfprintf_chk(f, 1, format, ap);
    va_end(ap);
    return n;
}

int snippet___vfprintf_chk(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, print(f, "%s %d", "seven", 7) == 7, "seven 7");
}
