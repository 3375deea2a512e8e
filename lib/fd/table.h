/* SPDX-License-Identifier: Apache-2.0 */
/* What every descriptor is. The state belongs to the open file description (struct mh_desc), which
 * dup() shares; the table maps descriptors to it. Fed by socket, connect, accept, open, dup, close
 * and fork hooks. Descriptors at or past MH_FD_MAX are not observed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "fd/guest.h"
#include "fd/peer.h"
#include "python/python.h"
#include "wire/http.h"
#include "wire/tls.h"
#include "wire/websocket.h"

enum { MH_FD_MAX = 65536 };

enum mh_desc_kind {
    MH_DESC_none,
    MH_DESC_stream,   /* connection-oriented socket: bytes with offsets */
    MH_DESC_datagram, /* other sockets */
    MH_DESC_listener,
    MH_DESC_file, /* a file or directory that a fault names, or a file that is written */
    MH_DESC_log,  /* a log sink */
    MH_DESC_epoll,
    MH_DESC_timer, /* our own timerfd */
    MH_DESC_jobs,  /* a pipe that carries jobs to a worker process, or results back */
};

/* Why a connection is dead for the program; the kernel's own answers follow from it. */
enum mh_dead { MH_DEAD_no, MH_DEAD_reset, MH_DEAD_eof, MH_DEAD_connect };

enum { MH_HOLDS = 16, MH_PIPED = 16, MH_REST_BYTES = 16 };

/* Bytes up to `end` (offset in the stream) may be read from `release` (monotonic ns) on. */
struct mh_hold {
    uint64_t end;
    int64_t release;
};

/* One direction's operation under way: its verdict, made once, remembered until it ends. */
struct mh_pending {
    bool decided;
    bool recorded; /* the effect that is delivered at the end has its record */
    struct mh_verdict verdict;
    int64_t op;      /* id of its op record, 0 none */
    int64_t release; /* for operations without bytes: send, connect, accept */
    bool corrupted;  /* and that it changes bytes has one, too */
    uint64_t at, n;  /* the bytes that it began with, on the read side */
};

/* A slow link: from `from` on, `rate` bytes a second of what comes after offset `base`. */
struct mh_flow {
    uint64_t rate; /* 0: no limit */
    uint64_t base;
    int64_t from;
};

/* A path that has become a black hole. */
struct mh_hole {
    int64_t op;    /* its record; 0: there is none */
    int fault;     /* that has made it */
    int64_t until; /* monotonic */
    int err;       /* what the program is told then if something was sent into it */
    uint64_t room, swallowed;
};

/* A transfer that moved fewer bytes than asked for, until it is known what follows; see rest.h. */
struct mh_rest {
    uint8_t kind;           /* enum mh_op_kind; none: there is none */
    bool whole;             /* read: all that the file still held was asked for */
    bool listened, awaited; /* send: the same thread went on to read; waits to send on */
    uint8_t nfirst, nleft;  /* first bytes of all of it, and of what was not moved */
    uint8_t first[MH_REST_BYTES], left[MH_REST_BYTES];
    int tid, pid;
    uint64_t asked, moved;
    int64_t op;            /* its record; 0: it was real and has none yet */
    struct mh_place place; /* ... then where it was made */
};

struct mh_desc {
    uint32_t lock;
    uint32_t refs; /* descriptors of this process that share it */
    enum mh_desc_kind kind;
    enum mh_side side;
    bool nonblocking;
    bool connecting; /* a non-blocking connect is under way */
    bool read_shut;  /* shutdown() by the program itself */
    enum mh_dead dead;
    int dead_err;    /* errno not yet given to the program; then 0 */
    int64_t dead_op; /* record of what killed it */
    uint64_t armed;  /* operations for which some fault's `where` fits this description */
    struct mh_peer *peer;
    uint32_t path_id;
    char *path;                       /* of files, in memory of ours; NULL otherwise */
    int64_t conn;                     /* id of the connection in the recording */
    uint64_t ordinal;                 /* of the connection to its peer */
    int64_t rcvtimeo_ns, sndtimeo_ns; /* 0 none */
    int64_t user_timeout_ns;          /* TCP_USER_TIMEOUT, 0 the system's own */
    int sink;                         /* of a log, or of a socket that logs go to: enum mh_sink */
    uint32_t hidden;                  /* epoll registrations that are masked now */

    /* read side */
    uint64_t consumed, stamped;
    struct mh_hold holds[MH_HOLDS];
    unsigned nholds;
    int64_t last_release;
    int64_t looked_at;   /* last look at arrivals */
    int64_t end_release; /* of EOF, HUP or error; 0 not seen */
    struct mh_pending in, out;
    struct mh_hole hole;
    struct mh_flow flow;      /* read side */
    int64_t out_free;         /* when a slow link, or disk, has taken what was written last */
    uint64_t delivered, sent; /* bytes over the connection's life */
    struct mh_rest rest;

    /* exchanges, as a client */
    int64_t exchange;
    bool pending; /* a request has no answer yet */
    bool expired; /* ... and a wait for it ended by its limit */
    int64_t connect_at, request_at;
    struct mh_place origin; /* where it was connected */
    uint32_t origin_tid;    /* ... by which thread */
    struct mh_place asked;  /* where its last request (or its connect) was made */
    int64_t wait_told;      /* mix of exchange and limit of the last wait record */

    /* inbound HTTP, as a server */
    int64_t unit, unit_at;
    int64_t unit_named; /* the unit whose path `http` still knows: the last that was begun */
    int64_t asked_at;   /* first byte of the request that came last */
    struct {
        int64_t unit, at;
    } piped[MH_PIPED]; /* requests that came before the answer to the one ahead, in their order */
    unsigned npiped;
    struct mh_place unit_place; /* of the response's first byte */
    int64_t unit_retry_after;
    int unit_status;
    bool peer_left;      /* the other end closed or reset */
    uint8_t spoken_told; /* enum mh_spoken: that this passes, and is not read, has its record */
    struct mh_http http;

    /* behind TLS */
    struct mh_tls tls;
    int64_t sealed_at;   /* when the last bytes of an answer were written; 0 it has not begun */
    int64_t sealed_told; /* ... as the last record has it */
    int64_t unsure_at;   /* when what may be the first of an answer passed; 0 nothing did */
    bool sealed_more;    /* the request that came last may go on */

    /* a WebSocket */
    bool talking; /* it is open: `unit` is the connection itself */
    struct mh_websocket heard, said;
};

extern MH_OWN uint8_t mh_fd_kind[MH_FD_MAX]; /* enum mh_desc_kind */

/* The description of this descriptor, NULL when not observed. Borrowed: good while it is open. */
struct mh_desc *mh_fd_get(int fd);

/* Is this still what fd stands for? A thread that has waited asks, since another may have closed
 * it. */
static inline bool mh_fd_still(int fd, const struct mh_desc *d, int64_t conn)
{
    return mh_fd_get(fd) == d && d->conn == conn;
}

/* Gives fd a new description of that kind, dropping what it had. NULL when the table is full. */
struct mh_desc *mh_fd_new(int fd, enum mh_desc_kind kind);

/* fd is closed (or about to be given away): drops the reference. Returns the description when this
 * was its last descriptor, to be read and then freed with mh_desc_free(); else NULL. */
struct mh_desc *mh_fd_drop(int fd);
struct mh_desc *mh_desc_free(struct mh_desc *d);

/* `to` now shares the description of `from` (which may be unobserved). */
void mh_fd_share(int from, int to);

/* How many observed and unobserved descriptors are open is not known; this counts the observed. */
int64_t mh_fd_count(void);

/* Highest observed descriptor + 1: bound for loops over ranges. */
int mh_fd_top(void);

/* Takes the description's lock. False when it was left behind: then work without its state. */
bool mh_desc_lock(struct mh_desc *d);
void mh_desc_unlock(struct mh_desc *d);

/* Child side of fork: locks that other threads held are open again. */
void mh_fd_after_fork(void);

/* Sets peer and side, gives the connection its ids, and computes `armed`. */
void mh_desc_connect(struct mh_desc *d, enum mh_side side, struct mh_peer *peer);

/* Operations for which some fault could apply here, whatever its `when`. */
uint64_t mh_armed(enum mh_side side, const struct mh_peer *peer, const char *path);

/* A new id for an op record or unit. */
int64_t mh_new_id(void);
