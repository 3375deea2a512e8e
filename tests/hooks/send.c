/* SPDX-License-Identifier: Apache-2.0 */
/* send(): bytes leave. */
#include "snippet.h"

int snippet_send(void)
{
    char b[16] = "";
    ssize_t n;
    int p[2];

    WANT(pair(p) == 0);
    n = send(p[0], "hello", 5, MSG_NOSIGNAL);
    GOT(n, 5);
    WANT(recv(p[1], b, sizeof(b), 0) == 5 && !memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
