/* SPDX-License-Identifier: Apache-2.0 */
/* The probe of --ready; see ready.h. */
#include "run/ready.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

int mh_ready_resolve(const char *where, struct addrinfo **ret)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(where, ':');
    size_t n = colon ? (size_t)(colon - where) : 0;
    char host[256];

    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) > 5 || n >= sizeof(host))
        return -EINVAL;
    memcpy(host, where, n);
    host[n] = 0;
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        memmove(host, host + 1, n - 2);
        host[n - 2] = 0;
    } else if (strchr(host, ':')) {
        return -EINVAL; /* an IPv6 address without brackets cannot be told from its port */
    }
    return getaddrinfo(n ? host : "localhost", colon + 1, &hints, ret) ? -ENOENT : 0;
}

static int try(const struct addrinfo *address, int patience_ms)
{
    _cleanup_close_ int fd =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);

    if (fd < 0)
        return 0;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 1;
    if (errno != EINPROGRESS || poll(&p, 1, patience_ms) <= 0)
        return 0;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

int mh_ready_probe(const struct addrinfo *where, int patience_ms)
{
    for (; where; where = where->ai_next)
        if (try(where, patience_ms))
            return 1;
    return 0;
}
