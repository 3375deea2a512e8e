/* SPDX-License-Identifier: Apache-2.0 */
/* dup(): the duplicate reads what the first would have read. */
#include "snippet.h"

int snippet_dup(void)
{
    char b[8] = "";
    int p[2], d;

    WANT(pair(p) == 0);
    d = dup(p[0]);
    TRY(d);
    close(p[0]);
    WANT(send(p[1], "hello", 5, 0) == 5 && recv(d, b, 8, 0) == 5 && !memcmp(b, "hello", 5));
    done(d, p[1]);
    return 0;
}
