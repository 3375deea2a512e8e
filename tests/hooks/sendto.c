/* SPDX-License-Identifier: Apache-2.0 */
/* sendto(): bytes leave. */
#include "snippet.h"

int snippet_sendto(void)
{
    char b[16] = "";
    ssize_t n;
    int p[2];

    WANT(pair(p) == 0);
    n = sendto(p[0], "hello", 5, MSG_NOSIGNAL, NULL, 0);
    GOT(n, 5);
    WANT(recv(p[1], b, sizeof(b), 0) == 5 && !memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
