/* SPDX-License-Identifier: Apache-2.0 */
/* vfprintf(): values that come as a list. */
#include "snippet.h"

__attribute__((format(printf, 2, 3))) static int print(FILE *f, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vfprintf(f, format, ap);
    va_end(ap);
    return n;
}

int snippet_vfprintf(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, print(f, "%s %d", "seven", 7) == 7, "seven 7");
}
