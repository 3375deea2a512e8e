/* SPDX-License-Identifier: Apache-2.0 */
/* The probe of --ready; see ready.h. */
#include "run/ready.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/sys.h"
#include "run/taken.h"

#include "base/banned.h"

#define SECOND      INT64_C(1000000000)
#define TRY_NS      (5 * SECOND) /* for one connection, then another is made */
#define DEFERRED_NS SECOND       /* it is not put into the queue before there are data */
#define DRAIN_NS    SECOND       /* for the rest of an answer */
#define AGAIN_NS    (SECOND / 5) /* from a request in vain to the next */
enum { STATUS_AT = 9, MOST_READS = 64, UNSEEN = 3 };

struct mh_ready {
    struct addrinfo *addresses;
    char *request;            /* NULL: it is enough that the connection is taken */
    int fd;                   /* the connection that waits; -1 none */
    int64_t since;            /* of the connection; without one, not before this is another made */
    char head[STATUS_AT + 3]; /* "HTTP/1.1 200" */
    size_t nhead;
    int64_t answered_at;
    int status;    /* of the last answer */
    bool listened; /* there was a connection */
    int unseen;    /* so many looks at this one have not found its other end */
};

static int resolve(const char *where, size_t length, struct addrinfo **ret)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char text[300], *host = text, *colon;
    size_t n;

    if (length >= sizeof(text))
        return -EINVAL;
    memcpy(text, where, length);
    text[length] = 0;
    colon = strrchr(text, ':');
    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) > 5)
        return -EINVAL;
    *colon = 0;
    n = (size_t)(colon - text);
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = 0;
        host++;
    } else if (strchr(host, ':')) {
        return -EINVAL; /* an IPv6 address without brackets cannot be told from its port */
    }
    return getaddrinfo(*host ? host : "localhost", colon + 1, &hints, ret) ? -ENOENT : 0;
}

/* "HOST[:PORT][/PATH]", behind http:// */
static int read_url(struct mh_ready *r, const char *url)
{
    size_t n = strcspn(url, "/?#");
    const char *path = url + n, *behind = memchr(url, ']', n);
    _cleanup_free_ char *where = NULL;

    if (!n || memchr(url, '@', n))
        return -EINVAL;
    for (const char *p = url; *p; p++)
        if (*p <= ' ' || *p == 127) /* also what is no ASCII: it has to be quoted */
            return -EINVAL;
    behind = behind ? behind : url;
    if (asprintf(&where, "%.*s%s", (int)n, url,
                 memchr(behind, ':', n - (size_t)(behind - url)) ? "" : ":80") < 0) {
        where = NULL;
        return -ENOMEM;
    }
    if (asprintf(&r->request,
                 "GET %s%.*s HTTP/1.1\r\nHost: %s%.*s\r\nUser-Agent: mishap/" MISHAP_VERSION
                 "\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                 *path == '/' ? "" : "/", (int)strcspn(path, "#"), path,
                 *url == ':' ? "localhost" : "", (int)n, url) < 0) {
        r->request = NULL;
        return -ENOMEM;
    }
    return resolve(where, strlen(where), &r->addresses);
}

int mh_ready_new(const char *where, struct mh_ready **ret)
{
    struct mh_ready *r = calloc(1, sizeof(*r));
    int error;

    if (!r)
        return -ENOMEM;
    r->fd = -1;
    if (!strncmp(where, "http://", 7))
        error = read_url(r, where + 7);
    else if (strstr(where, "://"))
        error = -EPROTONOSUPPORT;
    else
        error = resolve(where, strlen(where), &r->addresses);
    if (error)
        mh_ready_free(r);
    else
        *ret = r;
    return error;
}

static void drop(struct mh_ready *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->nhead = 0;
    r->unseen = 0;
    r->answered_at = 0;
}

struct mh_ready *mh_ready_free(struct mh_ready *r)
{
    if (r) {
        drop(r);
        if (r->addresses)
            freeaddrinfo(r->addresses);
        free(r->request);
        free(r);
    }
    return NULL;
}

/* A connection, or -1. */
static int try(const struct addrinfo *address, int patience_ms)
{
    _cleanup_close_ int fd =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error = 0, made;
    socklen_t size = sizeof(error);

    if (fd < 0)
        return -1;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 &&
        (errno != EINPROGRESS || poll(&p, 1, patience_ms) <= 0 ||
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error))
        return -1;
    made = fd;
    fd = -1;
    return made;
}

static int try_all(const struct mh_ready *r, int patience_ms)
{
    int fd = -1;

    for (const struct addrinfo *a = r->addresses; a && fd < 0; a = a->ai_next)
        fd = try(a, patience_ms);
    return fd;
}

bool mh_ready_listens(const struct mh_ready *r, int patience_ms)
{
    _cleanup_close_ int fd = try_all(r, patience_ms);

    return fd >= 0;
}

/* Has it been taken? What ends in order, or says something, has been. */
static bool is_taken(struct mh_ready *r, int64_t now)
{
    char byte;
    ssize_t n = recv(r->fd, &byte, 1, MSG_PEEK);

    if (n >= 0)
        return true;
    if (errno != EAGAIN && errno != EINTR) { /* who listened is gone */
        drop(r);
        return false;
    }
    switch (mh_taken(r->fd)) {
    case MH_TAKEN_YES:
        return true;
    case MH_TAKEN_DEFERRED:
        r->unseen = INT_MIN;
        return now - r->since > DEFERRED_NS;
    case MH_TAKEN_NO:
        r->unseen = INT_MIN; /* what is not to be seen later is gone: see recv() */
        return false;
    default:
        return ++r->unseen >= UNSEEN;
    }
}

static int status_of(const struct mh_ready *r)
{
    int status = 0;

    if (r->nhead < sizeof(r->head) || memcmp(r->head, "HTTP/1.", 7) != 0)
        return 0;
    for (size_t i = STATUS_AT; i < sizeof(r->head); i++)
        status = status * 10 + (r->head[i] - '0');
    return status;
}

/* The answer is read to its end: one that is cut off is an error in the application's eyes. */
static bool is_answered(struct mh_ready *r, int64_t now)
{
    char data[4096];
    ssize_t n = 0;
    int status;

    for (int i = 0; i < MOST_READS && (n = recv(r->fd, data, sizeof(data), 0)) > 0; i++) {
        size_t more = MH_MIN((size_t)n, sizeof(r->head) - r->nhead);

        memcpy(r->head + r->nhead, data, more);
        r->nhead += more;
        r->answered_at = r->answered_at ? r->answered_at : now;
    }
    status = status_of(r);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        if (!status || now - r->answered_at < DRAIN_NS)
            return false;
    r->status = status ? status : r->status;
    drop(r);
    r->since = now + AGAIN_NS;
    return status >= 200 && status < 500;
}

static bool begin(struct mh_ready *r, int64_t now, int patience_ms)
{
    if (now < r->since)
        return false;
    r->fd = try_all(r, patience_ms);
    if (r->fd < 0)
        return false;
    r->since = now;
    r->listened = true;
    if (r->request && send(r->fd, r->request, strlen(r->request), MSG_NOSIGNAL) < 0)
        drop(r);
    return r->fd >= 0;
}

bool mh_ready_look(struct mh_ready *r, int patience_ms)
{
    int64_t now = mh_now();
    bool yes;

    if (r->fd >= 0 && now - r->since > TRY_NS)
        drop(r);
    if (r->fd < 0 && !begin(r, now, patience_ms))
        return false;
    yes = r->request ? is_answered(r, now) : is_taken(r, now);
    if (yes)
        drop(r);
    return yes;
}

bool mh_ready_is_sign(const struct mh_ready *r)
{
    return !r->request && r->fd >= 0;
}

void mh_ready_why(const struct mh_ready *r, char ret[MH_READY_WHY])
{
    if (r->status)
        snprintf(ret, MH_READY_WHY, "answered with status %d, and nothing better", r->status);
    else if (!r->listened)
        snprintf(ret, MH_READY_WHY, "did not answer");
    else if (r->request)
        snprintf(ret, MH_READY_WHY, "took no request, or answered none,");
    else
        snprintf(ret, MH_READY_WHY, "listens, but nobody took the connection");
}
