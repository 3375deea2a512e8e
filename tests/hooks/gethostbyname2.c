/* SPDX-License-Identifier: Apache-2.0 */
/* gethostbyname2(): the addresses of a name, of one family. */
#include "snippet.h"

int snippet_gethostbyname2(void)
{
    struct hostent *h = gethostbyname2("localhost", AF_INET);

    if (!h)
        return EAI_BASE - (h_errno == TRY_AGAIN        ? EAI_AGAIN
                           : h_errno == HOST_NOT_FOUND ? EAI_NONAME
                           : h_errno == NO_RECOVERY    ? EAI_FAIL
                                                       : EAI_MEMORY);
    WANT(h->h_addrtype == AF_INET && h->h_length == 4 && h->h_addr_list[0][0] == 127);
    return 0;
}
