/* SPDX-License-Identifier: Apache-2.0 */
/* gethostbyaddr_r(): the name of an address, in memory of the caller. */
#include "snippet.h"

int snippet_gethostbyaddr_r(void)
{
    struct in_addr at = {htonl(INADDR_LOOPBACK)};
    char buf[2000];
    struct hostent ret, *h = NULL;
    int herr = 0, r = gethostbyaddr_r(&at, sizeof(at), AF_INET, &ret, buf, sizeof(buf), &h, &herr);

    if (!h)
        return EAI_BASE - (herr == TRY_AGAIN        ? EAI_AGAIN
                           : herr == HOST_NOT_FOUND ? EAI_NONAME
                           : herr == NO_RECOVERY    ? EAI_FAIL
                                                    : EAI_MEMORY);
    WANT(r == 0 && h == &ret && !strcmp(h->h_name, "localhost"));
    return 0;
}
