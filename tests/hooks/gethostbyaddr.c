/* SPDX-License-Identifier: Apache-2.0 */
/* gethostbyaddr(): the name of an address. */
#include "snippet.h"

int snippet_gethostbyaddr(void)
{
    struct in_addr at = {htonl(INADDR_LOOPBACK)};
    struct hostent *h = gethostbyaddr(&at, sizeof(at), AF_INET);

    if (!h)
        return EAI_BASE - (h_errno == TRY_AGAIN        ? EAI_AGAIN
                           : h_errno == HOST_NOT_FOUND ? EAI_NONAME
                           : h_errno == NO_RECOVERY    ? EAI_FAIL
                                                       : EAI_MEMORY);
    WANT(!strcmp(h->h_name, "localhost"));
    return 0;
}
