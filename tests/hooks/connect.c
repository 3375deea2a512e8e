/* SPDX-License-Identifier: Apache-2.0 */
/* connect(): a connection is made; a second attempt is refused by the kernel. */
#include "snippet.h"

int snippet_connect(void)
{
    int l = listener(), c = socket(AF_INET, SOCK_STREAM, 0);

    WANT(l >= 0 && c >= 0);
    TRY(dial(c, l));
    WANT(dial(c, l) == -1 && errno == EISCONN);
    done(c, l);
    return 0;
}
