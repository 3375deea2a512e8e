/* SPDX-License-Identifier: Apache-2.0 */
/* __fprintf_chk(): fprintf() of programs that are built with care. */
#include "snippet.h"

int __fprintf_chk(FILE *f, int level, const char *format, ...);

int snippet___fprintf_chk(void)
{
    FILE *f = bare_stream();

    WANT(f);
    return written(f, __fprintf_chk(f, 1, "%s %d", "seven", 7) == 7, "seven 7");
}
