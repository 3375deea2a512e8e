/* SPDX-License-Identifier: Apache-2.0 */
/* What a destination is for log records: a sink that takes them; see peer.h. */
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "base/macros.h"
#include "event/event.h"
#include "fd/peer.h"

#include "base/banned.h"

static const struct {
    const char *path;
    enum mh_sink sink;
} sockets[] = {
    {"/dev/log", MH_SINK_syslog},
    {"/run/systemd/journal/dev-log", MH_SINK_syslog},
    {"/run/systemd/journal/syslog", MH_SINK_syslog},
    {"/run/systemd/journal/socket", MH_SINK_journal},
};

static const struct {
    uint16_t port;
    bool datagram;
    enum mh_sink sink;
} ports[] = {
    {514, true, MH_SINK_syslog},
    {8125, true, MH_SINK_statsd},
    {4317, false, MH_SINK_otlp},
    {4318, false, MH_SINK_otlp},
};

int mh_sink_at(const struct sockaddr *addr, socklen_t len, bool datagram)
{
    const size_t at = offsetof(struct sockaddr_un, sun_path);
    uint16_t port;

    if (!addr || len < sizeof(addr->sa_family))
        return MH_SINK_none;
    if (addr->sa_family == AF_UNIX) {
        const char *path = (const char *)addr + at;
        size_t n = len > at ? strnlen(path, len - at) : 0;

        for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
            if (strlen(sockets[i].path) == n && !memcmp(sockets[i].path, path, n))
                return sockets[i].sink;
        return MH_SINK_none;
    }
    port = mh_peer_port(addr, len);
    for (size_t i = 0; port && i < ARRAY_SIZE(ports); i++)
        if (ports[i].port == port && ports[i].datagram == datagram)
            return ports[i].sink;
    return MH_SINK_none;
}
