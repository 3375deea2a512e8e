/* SPDX-License-Identifier: Apache-2.0 */
/* closefrom(): everything from here on is closed. */
#include "snippet.h"

int snippet_closefrom(void)
{
    int a = temp_file(), b = dup(a);

    WANT(a >= 0 && b > a);
    closefrom(b);
    WANT(fcntl(a, F_GETFD) >= 0 && fcntl(b, F_GETFD) == -1);
    close(a);
    return 0;
}
