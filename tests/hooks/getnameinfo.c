/* SPDX-License-Identifier: Apache-2.0 */
/* getnameinfo(): the name of an address; in numbers nobody is asked. */
#include "snippet.h"

int snippet_getnameinfo(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char host[200];
    int r;

    WANT(getnameinfo((struct sockaddr *)&at, sizeof(at), host, sizeof(host), NULL, 0,
                     NI_NUMERICHOST) == 0 &&
         !strcmp(host, "127.0.0.1"));
    r = getnameinfo((struct sockaddr *)&at, sizeof(at), host, sizeof(host), NULL, 0, 0);
    if (r)
        return EAI_BASE - r;
    WANT(!strcmp(host, "localhost"));
    return 0;
}
