/* SPDX-License-Identifier: Apache-2.0 */
/* Records made from what passes; see observe.h. */
#include "fd/observe.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/caller.h"
#include "fd/units.h"
#include "wire/job.h"
#include "wire/logsink.h"
#include "wire/resp.h"

#include "base/banned.h"

enum { LONG_WAIT_NS = 50000000 };

static uint32_t peer_id(const struct mh_desc *d)
{
    if (!d->peer)
        return 0;
    mh_peer_record(d->peer);
    return d->peer->id;
}

/* Shows each piece of iov, n bytes in all, to f. */
static void each(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n,
                 void (*f)(struct mh_desc *, const char *, size_t))
{
    for (size_t i = 0; i < niov && n; i++) {
        size_t piece = MH_MIN(iov[i].iov_len, n);

        f(d, iov[i].iov_base, piece);
        n -= piece;
    }
}

static void client_wrote(struct mh_desc *d, const char *bytes, size_t n)
{
    while (n && !d->http.raw) {
        struct mh_http_facts facts;

        mh_http_client_wrote(&d->http, bytes, n, &facts);
        mh_units_spoken(d);
        if (!facts.used)
            return;
        bytes += facts.used;
        n -= facts.used;
    }
}

/* From here on something is waited for. */
static void asking(struct mh_desc *d)
{
    mh_python_place(&d->asked);
    /* Written by the event loop on behalf of a transport: who connected says more than the loop.
     * Another thread is no loop: it speaks for itself. */
    if (!d->asked.task && d->origin.task && d->origin_tid == mh_writer_thread()) {
        d->asked = d->origin;
        d->asked.task = 0;
    }
    d->pending = true;
    d->expired = false;
    d->request_at = mh_now();
}

static void request_begin(struct mh_desc *d, const struct iovec *iov, size_t n)
{
    uint64_t digest =
        mh_hash_long(mh_guest.control->digest_key, iov[0].iov_base, MH_MIN(n, iov[0].iov_len));
    bool http = !d->http.raw && d->http.seen;
    const char *what = http ? d->http.text : "";
    char command[MH_RESP_TEXT];

    if (!http && !d->tls.on && mh_resp_command(iov[0].iov_base, MH_MIN(n, iov[0].iov_len), command))
        what = command;
    asking(d);
    d->exchange++;
    mh_event_at(request, d->request_at, what, strlen(what), .conn = d->conn, .peer = peer_id(d),
                .exchange = d->exchange, .bytes = (int64_t)n, .digest = (int64_t)digest,
                .idempotency_key = http && d->http.idempotency_key, .stack = d->asked.stack,
                .task = (int64_t)d->asked.task, .unit = d->asked.unit);
}

/* A plaintext envelope on its way to Sentry: POST /api/7/envelope/, or /store/ of older clients. */
static bool to_sentry(const struct mh_http *http)
{
    static const char head[] = "POST /api/";
    const char *p = http->text + sizeof(head) - 1;

    if (http->raw || !http->seen || strncmp(http->text, head, sizeof(head) - 1) != 0)
        return false;
    p += strspn(p, "0123456789");
    return p[-1] != '/' && (!strcmp(p, "/envelope/") || !strcmp(p, "/store/"));
}

static void logged(int sink, int fd, const struct iovec *iov, size_t niov, size_t n)
{
    for (size_t i = 0; i < niov && n; i++) {
        size_t piece = MH_MIN(iov[i].iov_len, n);

        mh_seen_log(sink, fd, iov[i].iov_base, piece);
        n -= piece;
    }
}

/* Nobody waits for the answer any more, and what is sent is no rest of the request, but the next.
 */
static bool begins_anew(const struct mh_desc *d, const struct iovec *iov, size_t n,
                        unsigned outstanding)
{
    char command[MH_RESP_TEXT];

    if (!d->expired)
        return false;
    if (!d->http.raw && d->http.seen)
        return d->http.outstanding > outstanding;
    return mh_resp_command(iov[0].iov_base, MH_MIN(n, iov[0].iov_len), command) > 0;
}

static void response(struct mh_desc *d, int status, int64_t retry_after, int err, bool eof,
                     int64_t at)
{
    struct mh_place place;

    mh_python_place(&place);
    d->pending = false;
    mh_event(response, NULL, 0, .conn = d->conn, .peer = peer_id(d), .exchange = d->exchange,
             .latency_ns = at - d->request_at, .status = status, .retry_after_s = retry_after,
             .err = err, .eof = eof, .stack = place.stack, .task = (int64_t)place.task);
}

/* What was held back was the answer, since nothing else came of it. */
static void sealed_sure(struct mh_desc *d)
{
    if (d->unsure_at && d->pending)
        response(d, 0, -1, 0, false, d->unsure_at);
    d->unsure_at = 0;
}

/* TLS begins: at once, or after some words in plain text (PostgreSQL, STARTTLS). */
static bool speaks_tls(struct mh_desc *d, const struct iovec *iov, size_t n)
{
    if (d->tls.on || !mh_tls_opens(iov[0].iov_base, MH_MIN(n, iov[0].iov_len)))
        return d->tls.on;
    d->tls.on = true;
    d->http.raw = true;
    d->http.spoken = MH_SPOKEN_tls;
    mh_units_spoken(d);
    return true;
}

static unsigned each_sealed(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n,
                            unsigned (*f)(struct mh_tls *, const void *, size_t))
{
    unsigned flags = 0;

    for (size_t i = 0; i < niov && n; i++) {
        size_t piece = MH_MIN(iov[i].iov_len, n);

        flags |= f(&d->tls, iov[i].iov_base, piece);
        n -= piece;
    }
    return d->tls.unsure ? flags : flags & ~(unsigned)MH_TLS_UNSURE;
}

/* The peer's part of the handshake is waited for as an answer is, but no request: that begins with
 * the first application data, and so does its time. */
static void client_sealed(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    bool shaking = !mh_tls_ready(&d->tls);
    unsigned flags = each_sealed(d, iov, niov, n, mh_tls_asks);

    if (shaking && mh_tls_ready(&d->tls))
        d->pending = false;
    if (flags & MH_TLS_DATA) {
        sealed_sure(d);
        if (!d->pending || shaking)
            request_begin(d, iov, n);
    } else if (shaking && !mh_tls_ready(&d->tls) && !d->pending) {
        asking(d);
    }
}

static void client_sent(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    unsigned outstanding = d->http.outstanding;

    if (speaks_tls(d, iov, n)) {
        client_sealed(d, iov, niov, n);
        return;
    }
    each(d, iov, niov, n, client_wrote);
    /* on a WebSocket nobody waits for an answer: whatever comes, comes */
    if (d->http.spoken != MH_SPOKEN_websocket &&
        (!d->pending || begins_anew(d, iov, n, outstanding)))
        request_begin(d, iov, n);
}

void mh_seen_sent(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    int sink = d->sink;

    if (!n || !niov || !mh_desc_lock(d))
        return;
    d->sent += n;
    if (d->side == MH_SIDE_client) {
        client_sent(d, iov, niov, n);
        if (!sink && to_sentry(&d->http))
            sink = MH_SINK_sentry;
    } else if (d->side == MH_SIDE_server) {
        each(d, iov, niov, n, mh_units_wrote);
    }
    mh_desc_unlock(d);
    if (sink && d->side == MH_SIDE_client)
        logged(sink, -1, iov, niov, n);
}

void mh_seen_datagram(int fd, const struct sockaddr *addr, socklen_t len, const struct iovec *iov,
                      size_t niov, size_t n)
{
    int sink = mh_sink_at(addr, len, true);

    if (sink)
        logged(sink, fd, iov, niov, n);
}

static void client_read(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    struct mh_http_facts facts = {.retry_after_s = -1};
    int64_t retry_after = -1;
    int status = 0;

    for (size_t i = 0; i < niov && n && !d->http.raw; i++) {
        const char *bytes = iov[i].iov_base;
        size_t piece = MH_MIN(iov[i].iov_len, n);

        n -= piece;
        while (piece && !d->http.raw) {
            unsigned flags = mh_http_client_read(&d->http, bytes, piece, &facts);

            if (flags & MH_HTTP_RESPONSE_BEGUN) {
                status = facts.status;
                retry_after = facts.retry_after_s;
            }
            if (!facts.used)
                break;
            bytes += facts.used;
            piece -= facts.used;
        }
    }
    mh_units_spoken(d);
    /* HTTP: its status and Retry-After may be some reads away, or behind a 1xx. */
    if (d->pending && (status || d->http.raw || !d->http.seen))
        response(d, status, retry_after, 0, false, mh_now());
}

static void client_unsealed(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    bool shaking = !mh_tls_ready(&d->tls);
    unsigned flags = each_sealed(d, iov, niov, n, mh_tls_answers);

    if (shaking && mh_tls_ready(&d->tls) && !d->tls.asked)
        d->pending = false;
    if (flags & MH_TLS_DATA) {
        d->unsure_at = 0;
        if (d->pending && d->tls.asked)
            response(d, 0, -1, 0, false, mh_now());
    } else if (flags & MH_TLS_UNSURE) {
        d->unsure_at = mh_now();
    } else if (!d->tls.unsure) {
        d->unsure_at = 0;
    }
}

void mh_seen_received(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    if (!n || !niov || !mh_desc_lock(d))
        return;
    d->delivered += n;
    if (d->side == MH_SIDE_client && d->tls.on)
        client_unsealed(d, iov, niov, n);
    else if (d->side == MH_SIDE_client)
        client_read(d, iov, niov, n);
    else if (d->side == MH_SIDE_server)
        each(d, iov, niov, n, mh_units_read);
    mh_python_arrived(d->side == MH_SIDE_server ? d->unit : 0);
    mh_desc_unlock(d);
}

uint64_t mh_seen_waiter(const struct mh_desc *d)
{
    struct mh_place place;

    if (d->side != MH_SIDE_client || !d->asked.task)
        return 0;
    mh_python_place(&place);
    return place.task ? 0 : d->asked.task;
}

bool mh_seen_unfinished(const struct mh_desc *d)
{
    struct mh_http http = d->http;
    struct mh_http_facts facts;

    if (d->side != MH_SIDE_client || d->peer_left)
        return false;
    return d->pending || (!http.raw && http.seen && http.outstanding &&
                          !(mh_http_ended(&http, &facts) & MH_HTTP_RESPONSE_DONE));
}

void mh_seen_end(struct mh_desc *d, int err)
{
    if (!mh_desc_lock(d))
        return;
    d->peer_left = true;
    if (d->side == MH_SIDE_client)
        sealed_sure(d);
    if (d->side == MH_SIDE_client && d->pending)
        response(d, 0, -1, err, err == 0, mh_now());
    mh_desc_unlock(d);
}

void mh_seen_wait(struct mh_desc *d, enum mh_call call, int64_t now, int64_t timeout_ns,
                  unsigned fds)
{
    int64_t told =
        (int64_t)mh_mix2((uint64_t)timeout_ns, (uint64_t)d->exchange * 2 + d->connecting);
    struct mh_place place;

    if (d->side != MH_SIDE_client || !(d->pending || d->connecting) || d->wait_told == told)
        return;
    d->wait_told = told;
    mh_python_place(&place);
    mh_event_at(wait, now, NULL, 0, .conn = d->conn, .peer = peer_id(d), .call = call,
                .timeout_ns = timeout_ns, .pending = d->pending, .connecting = d->connecting,
                .fds = fds, .stack = place.stack, .task = (int64_t)place.task, .unit = place.unit,
                .user_timeout_ns = d->user_timeout_ns);
}

void mh_seen_waited(struct mh_desc *d, enum mh_call call, int64_t timeout_ns, int64_t waited_ns,
                    int ready, int err, unsigned fds)
{
    struct mh_place place;

    if (d->side != MH_SIDE_client || (ready > 0 && waited_ns < LONG_WAIT_NS) || !waited_ns)
        return;
    if (!ready && timeout_ns > 0 && fds <= 1 && d->pending)
        d->expired = true;
    mh_python_place(&place);
    mh_event(waited, NULL, 0, .conn = d->conn, .peer = peer_id(d), .call = call,
             .timeout_ns = timeout_ns, .waited_ns = waited_ns, .ready = ready, .err = err,
             .blocking = fds <= 1, .stack = place.stack, .task = (int64_t)place.task,
             .unit = place.unit);
}

void mh_seen_closed(struct mh_desc *d, int fd)
{
    struct mh_place place;

    if (d->kind != MH_DESC_stream && d->kind != MH_DESC_datagram)
        return;
    mh_units_closed(d);
    if (!d->conn)
        return;
    if (d->side == MH_SIDE_client && !d->expired)
        sealed_sure(d);
    mh_python_place(&place);
    mh_event(close, NULL, 0, .conn = d->conn, .fd = fd, .peer = peer_id(d), .pending = d->pending,
             .sent = (int64_t)d->sent, .received = (int64_t)d->delivered, .stack = place.stack,
             .task = (int64_t)place.task);
}

/* Names of our own classes, and the id of a trace as the last word. */
static void log_words(const struct mh_log_facts *facts, struct mh_buf *b)
{
    mh_buf_add(b, facts->tokens);
    if (!facts->trace[0])
        return;
    mh_buf_add(b, b->len ? " trace:" : "trace:");
    mh_buf_add(b, facts->trace);
}

void mh_seen_log(int sink, int fd, const void *bytes, size_t n)
{
    MH_BUF(words, MH_LOG_TOKENS + 48);
    struct mh_log_facts facts;
    struct mh_place place;

    mh_log_scan(bytes, n, mh_guest.control->digest_key, mh_peer_known, &facts);
    if (!facts.tokens[0] && !facts.level && !facts.traceback)
        return; /* program output that says nothing of trouble */
    log_words(&facts, &words);
    if (facts.traceback || facts.level >= MH_LEVEL_warning)
        mh_python_lost(&(struct mh_caller){mh_thread.caller, mh_caller_object});
    mh_python_place(&place);
    mh_event(log, words.data, words.len, .fd = fd, .sink = sink, .level = facts.level,
             .traceback = facts.traceback, .same = (int64_t)facts.digest, .bytes = (int64_t)n,
             .task = (int64_t)place.task, .unit = place.unit, .stack = place.unit ? place.stack : 0,
             .ident = facts.ident);
}

/* Only what comes in is a begin, and only what goes out an end: in the parent it is the other way
 * round, and the work is not its own. */
void mh_seen_job(const struct iovec *iov, size_t n, bool received)
{
    struct mh_job job;

    mh_job_scan(iov[0].iov_base, MH_MIN(n, iov[0].iov_len), &job);
    if (job.word == MH_JOB_begun && received)
        mh_python_job_begun("celery", job.name, job.id);
    else if (job.word == MH_JOB_ended && !received)
        mh_python_job_ended(job.state, job.exception);
}
