/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of a connection by way of /proc; see taken.h. */
#include "run/taken.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"

#include "base/banned.h"

enum { STATE_SYN_RECV = 3, WORD = 8 };

struct end {
    unsigned port;
    uint32_t word; /* the last of the address: all of IPv4's, also where it is mapped into IPv6 */
};

static struct end end_of(const struct sockaddr_storage *a)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
    struct end e = {ntohs(v4->sin_port), v4->sin_addr.s_addr};

    if (a->ss_family == AF_INET6) {
        e.port = ntohs(v6->sin6_port);
        memcpy(&e.word, v6->sin6_addr.s6_addr + 12, sizeof(e.word));
    }
    return e;
}

/* `text` is an address of the table, in hexadecimal digits. */
static bool same(struct end e, const char *text, unsigned port)
{
    char word[WORD + 1];
    size_t n = strlen(text);

    snprintf(word, sizeof(word), "%08X", e.word);
    return port == e.port && n >= WORD && !strcmp(text + n - WORD, word);
}

/* What waits in the queue of a listening socket belongs to no file yet: it has no inode. */
static enum mh_taken look(const char *table, struct end ours, struct end theirs)
{
    enum mh_taken found = MH_TAKEN_UNKNOWN;
    char line[512];
    FILE *f = fopen(table, "re");

    while (f && !found && fgets(line, sizeof(line), f)) {
        unsigned port, other, state;
        char local[33], remote[33];
        unsigned long inode;

        if (sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*s %*s %lu", local,
                   &port, remote, &other, &state, &inode) != 6 ||
            !same(theirs, local, port) || !same(ours, remote, other))
            continue;
        found = state == STATE_SYN_RECV ? MH_TAKEN_DEFERRED : inode ? MH_TAKEN_YES : MH_TAKEN_NO;
    }
    if (f)
        fclose(f);
    return found;
}

enum mh_taken mh_taken(int fd)
{
    struct sockaddr_storage ours, theirs;
    socklen_t n = sizeof(ours), m = sizeof(theirs);
    enum mh_taken found;

    if (getsockname(fd, (struct sockaddr *)&ours, &n) < 0 ||
        getpeername(fd, (struct sockaddr *)&theirs, &m) < 0)
        return MH_TAKEN_UNKNOWN;
    found = look("/proc/self/net/tcp", end_of(&ours), end_of(&theirs));
    return found ? found : look("/proc/self/net/tcp6", end_of(&ours), end_of(&theirs));
}
