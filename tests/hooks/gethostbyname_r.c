/* SPDX-License-Identifier: Apache-2.0 */
/* gethostbyname_r(): the addresses of a name, in memory of the caller; too little of it is told. */
#include "snippet.h"

int snippet_gethostbyname_r(void)
{
    char buf[2000], little[2];
    struct hostent ret, *h = NULL;
    int herr = 0, r = gethostbyname_r("localhost", &ret, buf, sizeof(buf), &h, &herr);

    if (!h)
        return EAI_BASE - (herr == TRY_AGAIN        ? EAI_AGAIN
                           : herr == HOST_NOT_FOUND ? EAI_NONAME
                           : herr == NO_RECOVERY    ? EAI_FAIL
                                                    : EAI_MEMORY);
    WANT(r == 0 && h == &ret && h->h_addr_list[0][0] == 127);
    WANT(gethostbyname_r("localhost", &ret, little, sizeof(little), &h, &herr) == ERANGE);
    return 0;
}
