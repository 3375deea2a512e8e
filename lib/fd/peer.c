/* SPDX-License-Identifier: Apache-2.0 */
/* Interned peers and the names that led to them; see peer.h. Append-only tables: entries are filled
 * before they are published, so readers need no lock. */
#include "fd/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"
#include "event/write.h"
#include "fd/guest.h"

#include "base/banned.h"

enum { MAX_PEERS = 512, MAX_NAMES = 512 };

struct named {
    _Atomic uint32_t ready;
    struct mh_peer at; /* family, addr, port and name only */
};

struct slot {
    _Atomic uint32_t ready;
    enum mh_side side;
    _Atomic uint64_t recorded; /* epoch + 1 of the recording that has its record */
    _Atomic uint64_t connections;
    struct mh_peer peer;
};

static struct {
    struct named names[MAX_NAMES];
    _Atomic uint32_t nnames;
    struct slot slots[MAX_PEERS];
    _Atomic uint32_t nslots;
} peers;

uint16_t mh_peer_port(const struct sockaddr *addr, socklen_t len)
{
    if (addr->sa_family == AF_INET && len >= sizeof(struct sockaddr_in))
        return ntohs(((const struct sockaddr_in *)(const void *)addr)->sin_port);
    if (addr->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6))
        return ntohs(((const struct sockaddr_in6 *)(const void *)addr)->sin6_port);
    return 0;
}

static bool peer_fill(struct mh_peer *p, const struct sockaddr *addr, socklen_t len)
{
    memset(p, 0, sizeof(*p));
    if (!addr || len < sizeof(addr->sa_family))
        return false;
    p->family = addr->sa_family;
    p->port = mh_peer_port(addr, len);
    if (addr->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const void *)addr;

        memcpy(p->addr, &in->sin_addr, 4);
        return true;
    }
    if (addr->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in = (const void *)addr;

        memcpy(p->addr, &in->sin6_addr, 16);
        return true;
    }
    if (addr->sa_family == AF_UNIX) {
        const struct sockaddr_un *un = (const void *)addr;
        size_t at = offsetof(struct sockaddr_un, sun_path);
        size_t n = len > at ? len - at : 0;

        n = MH_MIN(n, sizeof(p->path) - 1);
        memcpy(p->path, un->sun_path, n);
        if (n && !p->path[0])
            p->path[0] = '@'; /* abstract name, as ss(8) shows it */
        return true;
    }
    return false;
}

static bool same_address(const struct mh_peer *a, const struct mh_peer *b)
{
    return a->family == b->family && !memcmp(a->addr, b->addr, sizeof(a->addr)) &&
           !strcmp(a->path, b->path);
}

void mh_peer_learn(const char *name, const struct sockaddr *addr, socklen_t len)
{
    struct mh_peer p;
    uint32_t n = atomic_load(&peers.nnames), at;

    if (!name || !*name || !peer_fill(&p, addr, len))
        return;
    for (uint32_t i = 0; i < MH_MIN(n, MAX_NAMES); i++)
        if (atomic_load(&peers.names[i].ready) && same_address(&peers.names[i].at, &p) &&
            peers.names[i].at.port == p.port && !strcmp(peers.names[i].at.name, name))
            return;
    at = atomic_fetch_add(&peers.nnames, 1);
    if (at >= MAX_NAMES)
        return; /* later names show as addresses */
    memcpy(p.name, name, MH_MIN(strlen(name), sizeof(p.name) - 1));
    peers.names[at].at = p;
    atomic_store(&peers.names[at].ready, 1);
}

/* Names that were asked for, as hashes: enough to know one again. */
static _Atomic uint64_t asked[MAX_NAMES];
static _Atomic uint32_t nasked;

static uint64_t name_hash(const char *name, size_t n)
{
    return mh_hash_bytes(MH_HASH_START, name, n) | 1;
}

static bool was_asked(uint64_t hash)
{
    uint32_t n = MH_MIN(atomic_load(&nasked), MAX_NAMES);

    for (uint32_t i = 0; i < n; i++)
        if (atomic_load(&asked[i]) == hash)
            return true;
    return false;
}

void mh_peer_asked(const char *name)
{
    uint64_t hash = name ? name_hash(name, strlen(name)) : 0;

    if (hash && !was_asked(hash))
        atomic_store(&asked[atomic_fetch_add(&nasked, 1) % MAX_NAMES], hash);
}

/* The newest name for that address and port; failing that, for the address with any port. */
static const char *name_of(const struct mh_peer *p)
{
    uint32_t n = MH_MIN(atomic_load(&peers.nnames), MAX_NAMES);
    const char *any = "";

    for (uint32_t i = n; i-- > 0;) {
        const struct named *k = &peers.names[i];

        if (!atomic_load(&k->ready) || !same_address(&k->at, p))
            continue;
        if (k->at.port == p->port)
            return k->at.name;
        if (!k->at.port && !*any)
            any = k->at.name;
    }
    return any;
}

bool mh_peer_literal(const char *name)
{
    uint8_t addr[16];

    return inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
}

const char *mh_peer_resolved(const struct mh_peer *p)
{
    uint32_t n = MH_MIN(atomic_load(&peers.nnames), MAX_NAMES);
    const char *found = "";

    for (uint32_t i = 0; i < n; i++) {
        const struct named *k = &peers.names[i];

        if (!atomic_load(&k->ready) || !same_address(&k->at, p) ||
            (k->at.port && k->at.port != p->port) || mh_peer_literal(k->at.name))
            continue;
        if (*found && strcmp(found, k->at.name) != 0)
            return "";
        found = k->at.name;
    }
    return found;
}

static void address_text(const struct mh_peer *p, struct mh_buf *b)
{
    if (p->family == AF_UNIX) {
        mh_buf_add(b, p->path);
    } else if (p->family == AF_INET) {
        for (int i = 0; i < 4; i++) {
            if (i)
                mh_buf_add_char(b, '.');
            mh_buf_add_uint(b, p->addr[i], 10);
        }
    } else {
        char text[INET6_ADDRSTRLEN] = "";

        inet_ntop(AF_INET6, p->addr, text, sizeof(text));
        mh_buf_add(b, text);
    }
}

void mh_peer_record(struct mh_peer *peer)
{
    struct slot *s = (struct slot *)((char *)peer - offsetof(struct slot, peer));
    uint64_t epoch = mh_guest.epoch + 1;
    MH_BUF(text, 400);

    if (atomic_exchange(&s->recorded, epoch) == epoch)
        return;
    mh_buf_add(&text, peer->name);
    mh_buf_add_char(&text, '\n');
    address_text(peer, &text);
    mh_event(peer, text.data, text.len, .peer = peer->id, .family = peer->family,
             .port = peer->port, .side = s->side);
}

struct mh_peer *mh_peer_get(enum mh_side side, const struct sockaddr *addr, socklen_t len,
                            uint16_t listen_port)
{
    struct mh_peer p;
    uint32_t n, at;

    if (!peer_fill(&p, addr, len))
        return NULL;
    if (side == MH_SIDE_server) {
        p.port = listen_port; /* the client's own port says nothing */
    } else {
        const char *name = name_of(&p);

        memcpy(p.name, name, strlen(name));
    }
    n = MH_MIN(atomic_load(&peers.nslots), MAX_PEERS);
    for (uint32_t i = 0; i < n; i++) {
        struct slot *s = &peers.slots[i];

        if (atomic_load(&s->ready) && s->side == side && same_address(&s->peer, &p) &&
            s->peer.port == p.port && !strcmp(s->peer.name, p.name)) {
            mh_peer_record(&s->peer);
            return &s->peer;
        }
    }
    at = atomic_fetch_add(&peers.nslots, 1);
    if (at >= MAX_PEERS) {
        atomic_store(&peers.nslots, MAX_PEERS);
        return NULL;
    }
    p.id = at + 1;
    if (p.name[0])
        p.key = mh_hash_text(MH_HASH_START, p.name);
    else
        p.key = mh_hash_bytes(mh_hash_text(MH_HASH_START, p.path), p.addr, sizeof(p.addr));
    p.key = mh_mix2(p.key, (uint64_t)p.port << 8 | side);
    peers.slots[at].peer = p;
    peers.slots[at].side = side;
    atomic_store(&peers.slots[at].ready, 1);
    mh_peer_record(&peers.slots[at].peer);
    return &peers.slots[at].peer;
}

bool mh_peer_known(const char *host, size_t n, unsigned long port)
{
    uint32_t count = MH_MIN(atomic_load(&peers.nslots), MAX_PEERS);

    if (was_asked(name_hash(host, n)))
        return true;
    for (uint32_t i = 0; i < count; i++) {
        const struct slot *s = &peers.slots[i];
        MH_BUF(address, 64);

        if (!atomic_load(&s->ready) || s->peer.port != port || s->peer.family == AF_UNIX)
            continue;
        address_text(&s->peer, &address);
        if (address.len == n && !memcmp(address.data, host, n))
            return true;
        if (strlen(s->peer.name) == n && !memcmp(s->peer.name, host, n))
            return true;
    }
    return false;
}

uint64_t mh_peer_connection(struct mh_peer *peer)
{
    struct slot *s = (struct slot *)((char *)peer - offsetof(struct slot, peer));

    return atomic_fetch_add(&s->connections, 1) + 1;
}
