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
#include "fd/resident.h"
#include "fd/serving.h"
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

/* The connection speaks something that we do not read, as was noticed just now. */
static void spoken(struct mh_desc *d)
{
    if (!d->http.spoken || d->spoken_told)
        return;
    d->spoken_told = true;
    mh_event(spoken, NULL, 0, .conn = d->conn, .peer = peer_id(d), .side = d->side,
             .what = d->http.spoken);
}

/* The request at the head of those that wait for an answer is served from now on. */
static void unit_next(struct mh_desc *d)
{
    d->unit = 0;
    d->unit_status = 0;
    d->unit_retry_after = -1;
    d->unit_place = (struct mh_place){0};
    if (!d->npiped)
        return;
    d->unit = d->piped[0].unit;
    d->unit_at = d->piped[0].at;
    memmove(d->piped, d->piped + 1, --d->npiped * sizeof(d->piped[0]));
}

static void unit_end(struct mh_desc *d, const struct mh_http_facts *facts, int how)
{
    const char *text = d->unit == d->unit_named ? d->http.text : "";
    int64_t now = mh_now();

    __atomic_add_fetch(&mh_guest.control->units, 1, __ATOMIC_RELAXED);
    if (d->unit_status >= 500)
        __atomic_add_fetch(&mh_guest.control->units_5xx, 1, __ATOMIC_RELAXED);
    mh_event(unit_end, text, strlen(text), .unit = d->unit, .conn = d->conn,
             .status = d->unit_status, .latency_ns = now - d->unit_at,
             .bytes = (int64_t)facts->bytes, .digest = (int64_t)facts->digest,
             .retry_after_s = d->unit_retry_after, .how = how, .fds = mh_fd_count(),
             .stack = d->unit_place.stack, .task = (int64_t)d->unit_place.task,
             .begun_at = d->unit_at, .keys = (int64_t)facts->keys, .nkeys = facts->nkeys,
             .rss_kb = mh_resident_kb(now));
    mh_serving_end(d->unit);
    unit_next(d);
}

/* Requests that nobody began to serve: the client has to send them again, which RFC 9112 expects.
 */
static void units_drop(struct mh_desc *d)
{
    static const struct mh_http_facts none = {.retry_after_s = -1};

    while (d->unit)
        unit_end(d, &none, 1);
}

/* Who serves it, as far as that can be told while it lasts. */
static void serving(struct mh_desc *d)
{
    struct mh_place place;

    if (!mh_rules_ask(mh_guest.rules->by_operation))
        return;
    mh_python_place(&place);
    mh_serving_begin(d->unit, &place, d->http.text);
}

static void unit_begin(struct mh_desc *d)
{
    int64_t unit = mh_new_id();
    bool served = !d->unit;

    if (served) {
        unit_next(d);
        d->unit = unit;
        d->unit_at = d->asked_at;
    } else if (d->npiped < MH_PIPED) {
        d->piped[d->npiped].unit = unit;
        d->piped[d->npiped++].at = d->asked_at;
    } else {
        units_drop(d); /* from here on it could not be told which answer is whose */
        d->http.raw = true;
        return;
    }
    d->unit_named = unit;
    mh_event(unit_begin, d->http.text, strlen(d->http.text), .unit = unit, .conn = d->conn,
             .fds = mh_fd_count());
    if (served)
        serving(d);
}

static void server_read(struct mh_desc *d, const char *bytes, size_t n)
{
    while (n && !d->http.raw) {
        struct mh_http_facts facts;
        unsigned flags = mh_http_server_read(&d->http, bytes, n, &facts);

        if (flags & MH_HTTP_REQUEST_BYTE)
            d->asked_at = mh_now();
        if (flags & MH_HTTP_REQUEST_BEGUN)
            unit_begin(d);
        spoken(d);
        if (!facts.used)
            return;
        bytes += facts.used;
        n -= facts.used;
    }
}

static void answered(struct mh_desc *d)
{
    mh_python_place(&d->unit_place);
    if (mh_rules_ask(mh_guest.rules->by_operation))
        mh_serving_answered(d->unit, &d->unit_place);
}

static void server_wrote(struct mh_desc *d, const char *bytes, size_t n)
{
    while (n && d->unit) {
        struct mh_http_facts facts;
        unsigned flags = mh_http_server_wrote(&d->http, bytes, n, &facts);

        if ((flags & MH_HTTP_RESPONSE_BYTE) && !d->unit_place.stack)
            answered(d);
        if (flags & MH_HTTP_RESPONSE_BEGUN) {
            d->unit_status = facts.status;
            d->unit_retry_after = facts.retry_after_s;
        }
        if (flags & (MH_HTTP_RESPONSE_DONE | MH_HTTP_LEFT))
            unit_end(d, &facts, 0);
        if (flags & MH_HTTP_LEFT)
            units_drop(d);
        spoken(d);
        if (!facts.used)
            return;
        bytes += facts.used;
        n -= facts.used;
    }
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
        spoken(d);
        if (!facts.used)
            return;
        bytes += facts.used;
        n -= facts.used;
    }
}

static void request_begin(struct mh_desc *d, const struct iovec *iov, size_t n)
{
    uint64_t digest =
        mh_hash_bytes(mh_guest.control->digest_key, iov[0].iov_base, MH_MIN(n, iov[0].iov_len));
    bool http = !d->http.raw && d->http.seen;
    const char *what = http ? d->http.text : "";
    char command[MH_RESP_TEXT];

    if (!http && mh_resp_command(iov[0].iov_base, MH_MIN(n, iov[0].iov_len), command))
        what = command;
    mh_python_place(&d->asked);
    /* Written by the event loop on behalf of a transport: who connected says more than the loop. */
    if (!d->asked.task && d->origin.task) {
        d->asked = d->origin;
        d->asked.task = 0;
    }
    d->exchange++;
    d->pending = true;
    d->expired = false;
    d->request_at = mh_now();
    mh_event(request, what, strlen(what), .conn = d->conn, .peer = peer_id(d),
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

void mh_seen_sent(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    int sink = d->sink;
    unsigned outstanding;

    if (!n || !niov || !mh_desc_lock(d))
        return;
    d->sent += n;
    outstanding = d->http.outstanding;
    if (d->side == MH_SIDE_client) {
        each(d, iov, niov, n, client_wrote);
        if (!d->pending || begins_anew(d, iov, n, outstanding))
            request_begin(d, iov, n);
        if (!sink && to_sentry(&d->http))
            sink = MH_SINK_sentry;
    } else if (d->side == MH_SIDE_server) {
        each(d, iov, niov, n, server_wrote);
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

static void response(struct mh_desc *d, int status, int64_t retry_after, int err, bool eof)
{
    struct mh_place place;

    mh_python_place(&place);
    d->pending = false;
    mh_event(response, NULL, 0, .conn = d->conn, .peer = peer_id(d), .exchange = d->exchange,
             .latency_ns = mh_now() - d->request_at, .status = status, .retry_after_s = retry_after,
             .err = err, .eof = eof, .stack = place.stack, .task = (int64_t)place.task);
}

void mh_seen_received(struct mh_desc *d, const struct iovec *iov, size_t niov, size_t n)
{
    struct mh_http_facts facts = {.retry_after_s = -1};

    if (!n || !niov || !mh_desc_lock(d))
        return;
    d->delivered += n;
    if (d->side == MH_SIDE_client) {
        int64_t retry_after = -1;
        int status = 0;
        size_t left = n;

        for (size_t i = 0; i < niov && left && !d->http.raw; i++) {
            const char *bytes = iov[i].iov_base;
            size_t piece = MH_MIN(iov[i].iov_len, left);

            left -= piece;
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
        spoken(d);
        /* HTTP: its status and Retry-After may be some reads away, or behind a 1xx. */
        if (d->pending && (status || d->http.raw || !d->http.seen))
            response(d, status, retry_after, 0, false);
    } else if (d->side == MH_SIDE_server) {
        each(d, iov, niov, n, server_read);
    }
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
    if (d->side == MH_SIDE_client && d->pending)
        response(d, 0, -1, err, err == 0);
    mh_desc_unlock(d);
}

void mh_seen_wait(struct mh_desc *d, enum mh_call call, int64_t timeout_ns, unsigned fds)
{
    int64_t told =
        (int64_t)mh_mix2((uint64_t)timeout_ns, (uint64_t)d->exchange * 2 + d->connecting);
    struct mh_place place;

    if (d->side != MH_SIDE_client || !(d->pending || d->connecting) || d->wait_told == told)
        return;
    d->wait_told = told;
    mh_python_place(&place);
    mh_event(wait, NULL, 0, .conn = d->conn, .peer = peer_id(d), .call = call,
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
    if (d->unit) {
        struct mh_http_facts facts = {0};
        unsigned flags = mh_http_ended(&d->http, &facts);

        unit_end(d, &facts, (flags & MH_HTTP_RESPONSE_DONE) ? 0 : d->peer_left ? 1 : 2);
        units_drop(d);
    }
    if (!d->conn)
        return;
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
