/* SPDX-License-Identifier: Apache-2.0 */
/* close_range(): a range is closed and nothing else. */
#include "snippet.h"

int snippet_close_range(void)
{
    int a = temp_file(), b = dup(a), c = dup(a);

    WANT(a >= 0 && b >= 0 && c >= 0);
    TRY(close_range((unsigned)b, (unsigned)c, 0));
    WANT(fcntl(a, F_GETFD) >= 0 && fcntl(b, F_GETFD) == -1 && fcntl(c, F_GETFD) == -1);
    close(a);
    return 0;
}
