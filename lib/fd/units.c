/* SPDX-License-Identifier: Apache-2.0 */
/* Units of work of a server; see units.h. */
#include "fd/units.h"

#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/caller.h"
#include "fd/resident.h"
#include "fd/serving.h"

#include "base/banned.h"

void mh_units_spoken(struct mh_desc *d)
{
    if (!d->http.spoken || d->spoken_told == d->http.spoken)
        return;
    d->spoken_told = d->http.spoken;
    if (d->peer)
        mh_peer_record(d->peer);
    mh_event(spoken, NULL, 0, .conn = d->conn, .peer = d->peer ? d->peer->id : 0, .side = d->side,
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

/* Its answer was whole, or as far as is known, at `until`. */
static void end_record(struct mh_desc *d, const struct mh_http_facts *facts, int how, int64_t until)
{
    const char *text = d->unit == d->unit_named ? d->http.text : "";
    int64_t now = mh_now();

    mh_event_at(unit_end, now, text, strlen(text), .unit = d->unit, .conn = d->conn,
                .status = d->unit_status, .latency_ns = until - d->unit_at,
                .bytes = (int64_t)facts->bytes, .digest = (int64_t)facts->digest,
                .retry_after_s = d->unit_retry_after, .how = how, .fds = mh_fd_count(),
                .stack = d->unit_place.stack, .task = (int64_t)d->unit_place.task,
                .begun_at = d->unit_at, .keys = (int64_t)facts->keys, .nkeys = facts->nkeys,
                .rss_kb = mh_resident_kb(now), .again = d->sealed_told != 0);
}

static void unit_end(struct mh_desc *d, const struct mh_http_facts *facts, int how)
{
    __atomic_add_fetch(&mh_guest.control->units, 1, __ATOMIC_RELAXED);
    if (d->unit_status >= 500)
        __atomic_add_fetch(&mh_guest.control->units_5xx, 1, __ATOMIC_RELAXED);
    end_record(d, facts, how, mh_now());
    mh_serving_end(d->unit);
    unit_next(d);
}

static const struct mh_http_facts nothing = {.retry_after_s = -1};

/* Requests that nobody began to serve: the client has to send them again, which RFC 9112 expects.
 */
static void units_drop(struct mh_desc *d)
{
    while (d->unit)
        unit_end(d, &nothing, 1);
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

static void http_read(struct mh_desc *d, const char *bytes, size_t n)
{
    while (n && !d->http.raw) {
        struct mh_http_facts facts;
        unsigned flags = mh_http_server_read(&d->http, bytes, n, &facts);

        if (flags & MH_HTTP_REQUEST_BYTE)
            d->asked_at = mh_now();
        if (flags & MH_HTTP_REQUEST_BEGUN)
            unit_begin(d);
        mh_units_spoken(d);
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

/* ---- WebSockets ---- */

/* From here on the connection is one unit of work, served where it was accepted: its messages are
 * not read, and to none of them an answer belongs. */
static void talk_begin(struct mh_desc *d, int64_t request, const struct mh_place *place)
{
    MH_BUF(text, MH_HTTP_TEXT + sizeof("WEBSOCKET"));
    const char *path = strchr(d->http.text, ' ');

    mh_buf_add(&text, "WEBSOCKET");
    mh_buf_add(&text, path ? path : "");
    d->talking = true;
    d->unit = mh_new_id();
    d->unit_at = mh_now();
    d->unit_place = *place;
    mh_event(unit_begin, text.data, text.len, .unit = d->unit, .conn = d->conn,
             .fds = mh_fd_count(), .spoken = MH_SPOKEN_websocket, .upgraded = request);
    if (mh_rules_ask(mh_guest.rules->by_operation))
        mh_serving_begin(d->unit, place, text.data);
}

static void talk_end(struct mh_desc *d, int code, int how)
{
    d->talking = false;
    d->unit_status = code;
    end_record(d, &nothing, how, mh_now());
    mh_serving_end(d->unit);
    unit_next(d);
}

static void talk_heard(struct mh_desc *d, const char *bytes, size_t n)
{
    if (mh_websocket_seen(&d->heard, bytes, n))
        talk_end(d, 0, 0);
}

static void talk_said(struct mh_desc *d, const char *bytes, size_t n)
{
    if (mh_websocket_seen(&d->said, bytes, n))
        talk_end(d, d->said.code, 0);
}

/* ---- HTTP/1.x: answers ---- */

static void http_wrote(struct mh_desc *d, const char *bytes, size_t n)
{
    while (n && d->unit && !d->talking) {
        struct mh_place place = d->unit_place;
        int64_t request = d->unit;
        struct mh_http_facts facts;
        unsigned flags = mh_http_server_wrote(&d->http, bytes, n, &facts);

        if ((flags & MH_HTTP_RESPONSE_BYTE) && !d->unit_place.stack) {
            answered(d);
            place = d->unit_place;
        }
        if (flags & MH_HTTP_RESPONSE_BEGUN) {
            d->unit_status = facts.status;
            d->unit_retry_after = facts.retry_after_s;
        }
        if (flags & (MH_HTTP_RESPONSE_DONE | MH_HTTP_LEFT))
            unit_end(d, &facts, 0);
        if (flags & MH_HTTP_LEFT)
            units_drop(d);
        if ((flags & MH_HTTP_LEFT) && d->http.spoken == MH_SPOKEN_websocket)
            talk_begin(d, request, &place);
        mh_units_spoken(d);
        if (!facts.used)
            return;
        bytes += facts.used;
        n -= facts.used;
    }
    if (n && d->talking)
        talk_said(d, bytes, n);
}

/* ---- behind TLS ---- */

/* What the next application data are is not to be told from their turn: HTTP/2 has many at a time.
 */
static bool sealed_readable(struct mh_desc *d)
{
    if (d->tls.http2 == MH_TLS_HTTP2_no)
        return true;
    d->http.spoken = MH_SPOKEN_tls_http2;
    mh_units_spoken(d);
    return false;
}

/* The answer goes on, or has begun at `at`: known at once, and again when it has taken twice as
 * long as was said, so that a process that is killed then has left the truth, or half of it. */
static void sealed_answer(struct mh_desc *d, int64_t at)
{
    int64_t said = d->sealed_told - d->unit_at;

    if (!d->sealed_at)
        __atomic_add_fetch(&mh_guest.control->units, 1, __ATOMIC_RELAXED);
    else if (at - d->unit_at < MH_MAX(2 * said, said + 10000000)) {
        d->sealed_at = at;
        return;
    }
    d->sealed_at = at;
    end_record(d, &nothing, 0, at);
    d->sealed_told = at;
}

/* What was held back was the answer, since nothing else came. */
static void sealed_sure(struct mh_desc *d)
{
    if (d->unsure_at)
        sealed_answer(d, d->unsure_at);
    d->unsure_at = 0;
}

static void sealed_over(struct mh_desc *d)
{
    if (d->sealed_at > d->sealed_told)
        end_record(d, &nothing, 0, d->sealed_at);
    unit_next(d);
    d->sealed_at = d->sealed_told = 0;
}

static void sealed_begin(struct mh_desc *d)
{
    d->unit = mh_new_id();
    d->unit_at = mh_now();
    d->unit_retry_after = -1;
    mh_event(unit_begin, NULL, 0, .unit = d->unit, .conn = d->conn, .fds = mh_fd_count(),
             .spoken = MH_SPOKEN_tls);
}

/* What comes in after an answer is the next request, but when the request itself was cut off in the
 * middle of a body by it. */
static void sealed_read(struct mh_desc *d, const char *bytes, size_t n)
{
    unsigned flags = mh_tls_asks(&d->tls, bytes, n);

    if (flags & MH_TLS_ALERT)
        d->peer_left = true;
    if (!(flags & MH_TLS_DATA) || !sealed_readable(d))
        return;
    if (d->unit)
        sealed_sure(d);
    if (d->unit && d->sealed_at && !d->sealed_more)
        sealed_over(d);
    if (!d->unit)
        sealed_begin(d);
    d->sealed_more = (flags & MH_TLS_MORE) != 0;
}

static void sealed_wrote(struct mh_desc *d, const char *bytes, size_t n)
{
    unsigned flags = mh_tls_answers(&d->tls, bytes, n);

    if (!d->unit)
        return;
    if ((flags & (MH_TLS_DATA | MH_TLS_UNSURE)) && !d->sealed_at)
        mh_python_place(&d->unit_place);
    if (flags & MH_TLS_DATA) {
        d->unsure_at = 0;
        sealed_answer(d, mh_now());
    } else if (flags & MH_TLS_UNSURE) {
        d->unsure_at = mh_now();
    } else {
        if (!d->tls.unsure)
            d->unsure_at = 0;
        if ((flags & MH_TLS_SCRAP) && d->sealed_at)
            sealed_answer(d, mh_now());
    }
}

/* ---- all of them ---- */

void mh_units_read(struct mh_desc *d, const char *bytes, size_t n)
{
    if (d->tls.on) {
        sealed_read(d, bytes, n);
        return;
    }
    if (d->talking) {
        talk_heard(d, bytes, n);
        return;
    }
    http_read(d, bytes, n);
    if (d->http.spoken == MH_SPOKEN_tls) {
        d->tls.on = true;
        sealed_read(d, bytes, n);
    }
}

void mh_units_wrote(struct mh_desc *d, const char *bytes, size_t n)
{
    if (d->tls.on)
        sealed_wrote(d, bytes, n);
    else
        http_wrote(d, bytes, n);
}

void mh_units_closed(struct mh_desc *d)
{
    struct mh_http_facts facts = {0};
    unsigned flags;

    if (!d->unit)
        return;
    if (d->talking) {
        talk_end(d, 0, d->peer_left ? 1 : 2);
        return;
    }
    if (d->tls.on) {
        sealed_sure(d);
        if (d->sealed_at)
            sealed_over(d);
        else
            unit_end(d, &nothing, d->peer_left ? 1 : 2);
        return;
    }
    flags = mh_http_ended(&d->http, &facts);
    unit_end(d, &facts, (flags & MH_HTTP_RESPONSE_DONE) ? 0 : d->peer_left ? 1 : 2);
    units_drop(d);
}
