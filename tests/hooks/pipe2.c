/* SPDX-License-Identifier: Apache-2.0 */
/* pipe2(): with its flags; bad ones are refused. */
#include "snippet.h"

int snippet_pipe2(void)
{
    int p[2];

    TRY(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    WANT(fcntl(p[0], F_GETFD) & FD_CLOEXEC && fcntl(p[1], F_GETFL) & O_NONBLOCK);
    done(p[0], p[1]);
    WANT(pipe2(p, -1) == -1 && errno == EINVAL);
    return 0;
}
