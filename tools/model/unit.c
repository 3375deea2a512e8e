/* SPDX-License-Identifier: Apache-2.0 */
/* Inbound requests: their records, and what those are called of which no record can say it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "model/read.h"
#include "model/site.h"

#include "base/banned.h"

/* Behind TLS it is not known what is asked for: all such requests are one route. Were they told
 * apart by what they call, those that call nothing for once would be missed where they belong. */
static const char sealed_name[] = "TLS";

/* Is what was asked hidden? Of a begin that was not kept no more is known either. */
static bool is_sealed(const struct mh_intake *in)
{
    return !in->record->tail_len || (in->record->type == MH_EVENT_unit_begin &&
                                     mh_record_as(in->record, unit_begin).spoken == MH_SPOKEN_tls);
}

static bool is_websocket(const struct mh_intake *in)
{
    return in->record->type == MH_EVENT_unit_begin &&
           mh_record_as(in->record, unit_begin).spoken == MH_SPOKEN_websocket;
}

/* The code that a server closed it with, in the terms of requests (RFC 6455, 7.4.1 and IANA's). */
static int websocket_status(int64_t code, int how)
{
    switch (code) {
    case 1011: /* internal error */
        return 500;
    case 1012: /* restart */
    case 1013: /* try again later */
        return 503;
    case 1014: /* bad gateway */
        return 502;
    default:
        return how ? 0 : 200;
    }
}

/* The unit last added is what this request turned into: whoever served that goes on in this. */
static void became(struct mh_intake *in, uint32_t request)
{
    if (request != MH_MAP_NONE)
        in->m->units.v[request].became = (uint32_t)in->m->units.n;
}

int mh_intake_unit_begin(struct mh_intake *in)
{
    struct mh_ev_unit_begin e = mh_record_as(in->record, unit_begin);
    bool sealed = is_sealed(in), websocket = is_websocket(in);
    const char *name = sealed ? sealed_name : in->record->tail;
    size_t len = sealed ? strlen(sealed_name) : in->record->tail_len;
    int64_t path = mh_texts_add(&in->m->texts, name, len);
    int64_t route = mh_model_add_route(in->m, name, len), waited;
    struct mh_unit *u = mh_vec_add(&in->m->units);

    if (path < 0 || route < 0 || !u || mh_intake_stood(in, e.conn, &waited) ||
        mh_map_set(&in->units, (uint64_t)e.unit, (uint32_t)in->m->units.n - 1))
        return -ENOMEM;
    *u = (struct mh_unit){.process = in->process,
                          .route = (uint32_t)route,
                          .path = (uint32_t)path,
                          .id = (uint64_t)e.unit,
                          .fds_begun = e.fds,
                          .begun = in->record->at + in->offset,
                          .queued = waited,
                          .sealed = sealed,
                          .kind = websocket ? MH_UNIT_websocket : MH_UNIT_request,
                          .command = websocket,
                          .open = true};
    if (websocket && e.upgraded > 0)
        became(in, mh_map_get(&in->units, (uint64_t)e.upgraded));
    in->m->sealed += sealed && !mh_intake_process(in)->baseline;
    mh_intake_process(in)->nunits++;
    return 0;
}

int mh_intake_unit_end(struct mh_intake *in)
{
    struct mh_ev_unit_end e = mh_record_as(in->record, unit_end);
    uint32_t i = mh_map_get(&in->units, (uint64_t)e.unit);
    struct mh_unit *u;

    /* its begin was not kept: routine records are dropped when a recording is full */
    if (i == MH_MAP_NONE) {
        if (mh_intake_unit_begin(in))
            return -ENOMEM;
        i = (uint32_t)in->m->units.n - 1;
    }
    u = &in->m->units.v[i];
    if (!u->open && !u->sealed)
        return 0;
    u->open = false;
    u->ended = in->record->at + in->offset;
    if (e.begun_at > 0 && e.begun_at <= in->record->at)
        u->begun = e.begun_at + in->offset;
    u->tid = in->record->tid;
    u->task = (uint64_t)e.task;
    u->stack = mh_intake_number(&in->stacks, e.stack);
    u->status =
        u->kind == MH_UNIT_websocket ? websocket_status(e.status, (int)e.how) : (int32_t)e.status;
    u->how = (int32_t)e.how;
    u->latency = mh_intake_time(e.latency_ns);
    /* its end is told when the next request comes, or the connection goes */
    if (u->sealed)
        u->ended = MH_MIN(u->ended, u->begun + u->latency);
    u->bytes = e.bytes;
    u->digest = (uint64_t)e.digest;
    u->keys = (uint64_t)e.keys;
    u->nkeys = e.nkeys;
    u->retry_after = e.retry_after_s;
    u->fds_ended = e.fds;
    u->rss_kb = e.rss_kb > 0 && e.rss_kb < INT32_MAX ? e.rss_kb : 0;
    return 0;
}

/* ---- names ---- */

/* The outermost function of the application that a call came from; 0 none. */
static uint32_t function_of(const struct mh_model *m, const struct mh_act *a)
{
    const struct mh_site *s = a->site && !a->ambiguous ? &m->sites.v[a->site - 1] : NULL;

    return s && s->app && s->nframes ? s->frames[s->nframes - 1].function : 0;
}

/* The one function that all of its calls came from; 0 none, or several. */
static uint32_t function_of_unit(const struct mh_model *m, const struct mh_unit *u)
{
    uint32_t ret = 0;

    for (uint32_t i = 0; i < u->nacts; i++) {
        uint32_t f = function_of(m, &m->acts.v[m->by_unit.v[u->first_act + i]]);

        if (f && ret && f != ret)
            return 0;
        ret = f ? f : ret;
    }
    return ret;
}

int mh_units_name(struct mh_model *m)
{
    char name[300];

    for (size_t i = 0; i < m->units.n; i++) {
        struct mh_unit *u = &m->units.v[i];
        uint32_t function = u->sealed ? function_of_unit(m, u) : 0;
        int64_t path;

        if (!function)
            continue;
        snprintf(name, sizeof(name), "%s %s", sealed_name, mh_model_text(m, function));
        path = mh_texts_add(&m->texts, name, strlen(name));
        if (path < 0)
            return -ENOMEM;
        u->path = (uint32_t)path;
    }
    return 0;
}
