/* SPDX-License-Identifier: Apache-2.0 */
/* getsockopt(): options are told; a connected socket has no error. */
#include "snippet.h"

int snippet_getsockopt(void)
{
    int p[2], v = -1;
    socklen_t len = sizeof(v);

    WANT(pair(p) == 0);
    TRY(getsockopt(p[0], SOL_SOCKET, SO_ERROR, &v, &len));
    WANT(v == 0 && len == sizeof(v));
    TRY(getsockopt(p[0], SOL_SOCKET, SO_TYPE, &v, &len));
    WANT(v == SOCK_STREAM);
    WANT(getsockopt(-1, SOL_SOCKET, SO_ERROR, &v, &len) == -1 && errno == EBADF);
    done(p[0], p[1]);
    return 0;
}
