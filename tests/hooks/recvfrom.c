/* SPDX-License-Identifier: Apache-2.0 */
/* recvfrom(): bytes arrive. */
#include "snippet.h"

int snippet_recvfrom(void)
{
    char b[16] = "";
    ssize_t n;
    int p[2];

    WANT(pair(p) == 0);
    WANT(send(p[1], "hello", 5, 0) == 5);
    n = recvfrom(p[0], b, sizeof(b), 0, NULL, NULL);
    GOT(n, 5);
    WANT(!memcmp(b, "hello", 5));
    done(p[0], p[1]);
    return 0;
}
