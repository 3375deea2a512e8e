/* SPDX-License-Identifier: Apache-2.0 */
/* gethostbyname(): the addresses of a name; trouble is told by h_errno. */
#include "snippet.h"

int snippet_gethostbyname(void)
{
    struct hostent *h = gethostbyname("localhost");

    if (!h)
        return EAI_BASE - (h_errno == TRY_AGAIN        ? EAI_AGAIN
                           : h_errno == HOST_NOT_FOUND ? EAI_NONAME
                           : h_errno == NO_RECOVERY    ? EAI_FAIL
                                                       : EAI_MEMORY);
    WANT(h->h_addrtype == AF_INET && h->h_addr_list[0] && h->h_addr_list[0][0] == 127);
    return 0;
}
