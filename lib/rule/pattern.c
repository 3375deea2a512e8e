/* SPDX-License-Identifier: Apache-2.0 */
/* One word of `peer =` compiled: HOST, HOST:PORT, :PORT, addresses with a prefix, unix:PATH. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/num.h"
#include "rule/loader.h"

#include "base/banned.h"

static int refuse(struct mh_buf *why, const char *format, const char *text)
{
    mh_say(why, format, text);
    return -EINVAL;
}

static int take_port(const char *text, struct mh_peer_pattern *p, struct mh_buf *why)
{
    uint64_t port;

    if (!strcmp(text, "*"))
        return 0;
    if (mh_num_uint(text, &port) < 0 || port < 1 || port > 65535)
        return refuse(why, "the port %q is not a number from 1 to 65535", text);
    p->port = (uint16_t)port;
    return 0;
}

/* "10.0.0.0/8", "::1": the text is without port and brackets. */
static int take_address(char *text, struct mh_peer_pattern *p, struct mh_buf *why)
{
    char *slash = strchr(text, '/');
    unsigned most = strchr(text, ':') ? 128 : 32;
    uint64_t bits = most;

    p->family = most == 32 ? AF_INET : AF_INET6;
    if (slash) {
        if (mh_num_uint(slash + 1, &bits) < 0 || bits > most)
            return refuse(why,
                          most == 32 ? "the prefix %q is not a number from 0 to 32"
                                     : "the prefix %q is not a number from 0 to 128",
                          slash + 1);
        *slash = '\0';
    }
    p->prefix = (uint8_t)bits;
    if (inet_pton(p->family, text, p->addr) != 1)
        return refuse(
            why, p->family == AF_INET ? "%q is not an IPv4 address" : "%q is not an IPv6 address",
            text);
    if (slash)
        *slash = '/';
    return 0;
}

static int take_name(const char *text, struct mh_peer_pattern *p, struct mh_buf *why)
{
    size_t n = 0;

    for (; text[n]; n++) {
        char c = text[n];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-_.*?", c))) {
            if (c < 'A' || c > 'Z')
                return refuse(why, "a host name cannot have %q", (char[]){c, '\0'});
            c = (char)(c - 'A' + 'a');
        }
        p->name[n] = c;
    }
    p->name[n] = '\0';
    if (!strcmp(p->name, "*"))
        p->name[0] = '\0';
    return 0;
}

static int take_unix(const char *path, struct mh_peer_pattern *p, struct mh_buf *why)
{
    p->family = AF_UNIX;
    if (path[0] != '/' && path[0] != '@' && path[0] != '*')
        return refuse(why, "the path %q does not begin with '/' (or '@' for an abstract name)",
                      path);
    memcpy(p->name, path, strlen(path) + 1);
    return 0;
}

/* Whether text is made of digits and dots, as only an IPv4 address and its prefix are. */
static bool numeric(const char *text)
{
    return text[strspn(text, "0123456789./")] == '\0' && strchr(text, '.');
}

int mh_peer_pattern_parse(const char *word, struct mh_peer_pattern *ret, struct mh_buf *why)
{
    char text[MH_PATTERN_SIZE], *port = NULL, *colon;
    int r;

    memset(ret, 0, sizeof(*ret));
    if (strlen(word) >= sizeof(text))
        return refuse(why, "it is too long", NULL);
    memcpy(text, word, strlen(word) + 1);
    if (!strncmp(text, "unix:", 5))
        return take_unix(text + 5, ret, why);
    if (strstr(text, "://"))
        return refuse(why, "write HOST:PORT, not a URL", NULL);
    if (text[0] == '/')
        return refuse(why, "for a socket in the file system write unix:%s", text);
    colon = strchr(text, ':');
    if (text[0] == '[') {
        char *close = strchr(text, ']');

        if (!close || (close[1] && close[1] != ':'))
            return refuse(why, "an IPv6 address with port is written [ADDRESS]:PORT", NULL);
        port = close[1] ? close + 2 : NULL;
        *close = '\0';
        if (!strchr(text, ':'))
            return refuse(why, "%q is not an IPv6 address", text + 1);
        r = take_address(text + 1, ret, why);
    } else if (colon && strchr(colon + 1, ':')) {
        r = take_address(text, ret, why);
    } else {
        if (colon) {
            *colon = '\0';
            port = colon + 1;
        }
        r = numeric(text) ? take_address(text, ret, why) : take_name(text, ret, why);
    }
    if (r == 0 && port)
        r = take_port(port, ret, why);
    if (r == 0 && ret->family) {
        size_t skip = text[0] == '[';

        memcpy(ret->name, text + skip, strlen(text + skip) + 1);
    }
    if (r == 0 && !ret->family && !ret->name[0] && !ret->port)
        return refuse(why, "it would match every peer; leave 'peer' out for that", NULL);
    return r;
}
