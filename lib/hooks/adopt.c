/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that were open before we came; see adopt.h. The kernel tells what they are, but not
 * who began a connection: one from a port that this process listens on was accepted. */
#include "hooks/adopt.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/sys.h"
#include "fd/epoll.h"
#include "fd/peer.h"
#include "hooks/files.h"
#include "hooks/gate.h"
#include "hooks/sockets.h"

#include "base/banned.h"

enum { DUPLICATES = 1024 };

/* One descriptor under the magnifying glass. */
struct found {
    int fd;
    struct stat st;
    struct sockaddr_storage own, other;
    socklen_t own_len, other_len;
};

/* Sockets seen, to know a duplicate. */
static struct {
    struct {
        uint64_t inode;
        int fd;
    } all[DUPLICATES];
    unsigned n;
} seen;

static int option(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return mh_sys(SYS_getsockopt, fd, SOL_SOCKET, name, &value, &len) < 0 ? 0 : value;
}

static void proc_path(struct mh_buf *b, const char *folder, int fd)
{
    mh_buf_add(b, "/proc/self/");
    mh_buf_add(b, folder);
    mh_buf_add_char(b, '/');
    mh_buf_add_int(b, fd);
}

/* A pair has no names: both ends are in this process or its children. */
static bool nameless(const struct sockaddr_storage *at, socklen_t len)
{
    return at->ss_family == AF_UNIX && len <= sizeof(at->ss_family);
}

/* Does this process listen on the socket's own port, or path? */
static bool was_accepted(const struct found *f)
{
    uint16_t port = mh_socket_port(f->fd);

    if (f->own.ss_family == AF_UNIX)
        return !nameless(&f->own, f->own_len);
    for (int fd = 0; port && fd < mh_fd_top(); fd++)
        if (mh_fd_kind[fd] == MH_DESC_listener && mh_socket_port(fd) == port)
            return true;
    return false;
}

static bool duplicate(const struct found *f)
{
    for (unsigned i = 0; i < seen.n; i++)
        if (seen.all[i].inode == f->st.st_ino) {
            mh_fd_share(seen.all[i].fd, f->fd);
            return true;
        }
    if (seen.n < DUPLICATES) {
        seen.all[seen.n].inode = f->st.st_ino;
        seen.all[seen.n++].fd = f->fd;
    }
    return false;
}

static void adopt_connected(struct found *f)
{
    enum mh_desc_kind kind = mh_socket_kind(f->fd);
    bool server = kind == MH_DESC_stream && was_accepted(f);
    struct mh_peer *peer;
    struct mh_desc *d;

    if (nameless(&f->other, f->other_len) && !server)
        return;
    peer =
        mh_peer_get(server ? MH_SIDE_server : MH_SIDE_client, (struct sockaddr *)(void *)&f->other,
                    f->other_len, server ? mh_socket_port(f->fd) : 0);
    d = peer && kind ? mh_fd_new(f->fd, kind) : NULL;
    if (!d)
        return;
    mh_http_init_late(&d->http, mh_guest.control->digest_key, server);
    mh_desc_connect(d, server ? MH_SIDE_server : MH_SIDE_client, peer);
    mh_socket_limits(d, f->fd);
    if (!server)
        d->sink = mh_sink_at((struct sockaddr *)(void *)&f->other, f->other_len,
                             kind == MH_DESC_datagram);
}

static void adopt_socket(struct found *f, bool listeners)
{
    bool listens = option(f->fd, SO_ACCEPTCONN);

    if (listens != listeners || duplicate(f))
        return;
    if (listens) {
        mh_socket_listens(f->fd, -1);
        return;
    }
    f->own_len = sizeof(f->own);
    f->other_len = sizeof(f->other);
    if (mh_sys(SYS_getsockname, f->fd, &f->own, &f->own_len) == 0 &&
        mh_sys(SYS_getpeername, f->fd, &f->other, &f->other_len) == 0)
        adopt_connected(f);
}

static void adopt_file(const struct found *f)
{
    long flags = mh_sys(SYS_fcntl, f->fd, F_GETFL, 0), n;
    MH_BUF(link, 64);
    MH_BUF(path, MH_PATH_BYTES);

    proc_path(&link, "fd", f->fd);
    n = mh_sys(SYS_readlinkat, AT_FDCWD, link.data, path.data, path.size - 1);
    if (n <= 0 || path.data[0] != '/' || flags < 0)
        return;
    path.len = (size_t)n;
    path.data[n] = '\0';
    mh_file_describe(f->fd, &path, (int)flags, false);
}

/* The number after `key` in a line of fdinfo. */
static uint64_t number_after(const char *line, const char *key, int base)
{
    const char *at = strstr(line, key);

    return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

/* "tfd:        7 events:       19 data:                7  pos:0 ..." for each registration. */
static void adopt_registrations(int epfd)
{
    static char text[1 << 16]; /* others stand still */
    long fd, n = 0, got = 1;
    MH_BUF(path, 64);

    proc_path(&path, "fdinfo", epfd);
    fd = mh_sys(SYS_openat, AT_FDCWD, path.data, O_RDONLY | O_CLOEXEC, 0);
    while (fd >= 0 && got > 0 && n < (long)sizeof(text) - 1) {
        got = mh_sys(SYS_read, fd, text + n, sizeof(text) - 1 - (size_t)n);
        n += got > 0 ? got : 0;
    }
    if (fd >= 0)
        mh_sys(SYS_close, fd);
    text[n] = '\0';
    for (const char *line = strstr(text, "tfd:"); line; line = strstr(line + 1, "tfd:"))
        mh_epoll_adopt(epfd, (int)number_after(line, "tfd:", 10),
                       (uint32_t)number_after(line, "events:", 16),
                       number_after(line, "data:", 16));
}

static void adopt_other(const struct found *f)
{
    char link[32] = "";
    MH_BUF(path, 64);

    proc_path(&path, "fd", f->fd);
    mh_sys(SYS_readlinkat, AT_FDCWD, path.data, link, sizeof(link) - 1);
    if (!strcmp(link, "anon_inode:[eventpoll]") && mh_fd_new(f->fd, MH_DESC_epoll))
        adopt_registrations(f->fd);
}

/* Listeners first, since they tell which connections were accepted; epoll sets last. */
enum pass { LISTENERS, DESCRIPTORS, OTHERS, PASSES };

static void adopt(int fd, enum pass pass)
{
    struct found f = {.fd = fd};

    if (mh_sys(SYS_fstat, fd, &f.st))
        return;
    if (S_ISSOCK(f.st.st_mode) && pass != OTHERS)
        adopt_socket(&f, pass == LISTENERS);
    else if ((S_ISREG(f.st.st_mode) || S_ISDIR(f.st.st_mode)) && pass == DESCRIPTORS)
        adopt_file(&f);
    else if (!(f.st.st_mode & S_IFMT) && pass == OTHERS)
        adopt_other(&f);
}

/* As the kernel gives them; entries have more behind their name. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

static void adopt_all(enum pass pass)
{
    long dir = mh_sys(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    _Alignas(8) char entries[4096];
    long n = 0;

    while (dir >= 0 && (n = mh_sys(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
        for (long at = 0; at < n;) {
            const struct entry *e = (const void *)(entries + at);

            if (e->name[0] >= '0' && e->name[0] <= '9') {
                int fd = (int)strtoull(e->name, NULL, 10);

                if (fd != dir)
                    adopt(fd, pass);
            }
            at += e->size;
        }
    if (dir >= 0)
        mh_sys(SYS_close, dir);
}

void mh_adopt_descriptors(void)
{
    for (int fd = 0; fd < mh_fd_top(); fd++)
        if (mh_fd_kind[fd])
            mh_desc_free(mh_fd_drop(fd));
    seen.n = 0;
    for (enum pass pass = LISTENERS; pass < PASSES; pass++)
        adopt_all(pass);
}
