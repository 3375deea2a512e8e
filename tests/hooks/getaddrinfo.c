/* SPDX-License-Identifier: Apache-2.0 */
/* getaddrinfo(): a name is looked up, and a bad one is not. */
#include "snippet.h"

int snippet_getaddrinfo(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int r = getaddrinfo("localhost", "80", &hints, &list);

    if (r)
        return -r + EAI_BASE;
    WANT(list && ((struct sockaddr_in *)(void *)list->ai_addr)->sin_port == htons(80));
    freeaddrinfo(list);
    hints.ai_flags = AI_NUMERICHOST;
    WANT(getaddrinfo("no number", NULL, &hints, &list) == EAI_NONAME);
    return 0;
}
