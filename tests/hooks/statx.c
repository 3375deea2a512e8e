/* SPDX-License-Identifier: Apache-2.0 */
/* statx(): what a file is, by name and by descriptor. */
#include "snippet.h"

#ifndef STATX_BASIC_STATS /* musl up to 1.2.4 */
#include <linux/stat.h>
#endif

int snippet_statx(void)
{
    struct statx st;
    int fd;

    WANT(make_file() == 0);
    memset(&st, 0, sizeof(st));
    TRY(statx(AT_FDCWD, "snippet.tmp", 0, STATX_BASIC_STATS, &st));
    WANT(S_ISREG(st.stx_mode) && st.stx_size == 11);
    WANT(statx(AT_FDCWD, "no/such/file", 0, STATX_BASIC_STATS, &st) == -1 && errno == ENOENT);
    fd = temp_file();
    memset(&st, 0, sizeof(st));
    WANT(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 && st.stx_size == 11);
    close(fd);
    return 0;
}
