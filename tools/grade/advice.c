/* SPDX-License-Identifier: Apache-2.0 */
/* Fixes: the row of advice.def for the rule and the library on the stack, with the application's
 * own names and measured numbers filled in. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "grade/document.h"

#include "base/banned.h"

static const struct {
    const char *rule, *library, *code;
} rows[] = {
#define ADVICE(rule, library, code) {rule, library, code},
#include "grade/advice.def"
#undef ADVICE
};

/* The row for the library; else the one for no library in particular; else NULL. */
static const char *code_for(const char *rule, const char *library, bool *ret_own)
{
    const char *general = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].rule, rule))
            continue;
        if (*library && !strcmp(rows[i].library, library)) {
            *ret_own = true;
            return rows[i].code;
        }
        if (!*rows[i].library)
            general = rows[i].code;
    }
    *ret_own = false;
    return general;
}

/* The slowest clean answer of a peer (p99.9), rounded up to a whole second; ret_slowest as it was.
 */
static int read_limit(const struct mh_grading *g, uint32_t peer, int64_t *ret_slowest)
{
    const struct mh_peer_seen *p = peer ? &g->m->peers.v[peer - 1] : NULL;
    int64_t slowest = 0;
    double limit;

    for (size_t i = 0; p && i < p->latencies.n; i++)
        slowest = MH_MAX(slowest, p->latencies.v[i]);
    *ret_slowest = slowest;
    limit = ceil((double)slowest / 1e9 * 2);
    return slowest ? (int)MH_MAX(MH_MIN(limit, 60), 1) : 5;
}

static void fill(struct mh_buf *b, const char *code, const char *name, const char *value)
{
    size_t n = strlen(name);

    while (*code) {
        if (!strncmp(code, name, n)) {
            mh_buf_add(b, value);
            code += n;
        } else
            mh_buf_add_char(b, *code++);
    }
}

static void fill_all(const struct mh_grading *g, const struct mh_judgement *j, const char *code,
                     int limit, struct mh_buf *out)
{
    const struct mh_site *s = j->site ? &g->m->sites.v[j->site - 1] : NULL;
    const char *peer = mh_name_peer(g, j->peer);
    char number[16];
    const char *values[][2] = {
        {"{peer}", *peer ? peer : "the peer"},
        {"{function}", s ? mh_name_site(g, j->site) : "the function"},
        {"{file}", s ? mh_model_file(g->m, s->frames[0].file) : "the file"},
        {"{read}", number},
    };
    MH_BUF(other, 2048);

    snprintf(number, sizeof(number), "%d", limit);
    mh_buf_add(&other, code);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        out->len = 0;
        out->data[0] = 0;
        fill(out, other.data, values[i][0], values[i][1]);
        other.len = 0;
        other.data[0] = 0;
        mh_buf_add(&other, out->data);
    }
}

json_t *mh_advice(const struct mh_grading *g, const struct mh_judgement *j)
{
    const struct mh_site *s = j->site ? &g->m->sites.v[j->site - 1] : NULL;
    const char *library = s ? mh_model_text(g->m, g->m->stacks.v[s->stack - 1].library) : "";
    bool own = false;
    const char *code = code_for(j->rule->id, library, &own);
    int64_t slowest;
    int limit = read_limit(g, j->peer, &slowest);
    char text[600];
    int n = snprintf(text, sizeof(text), "%s", j->rule->fix ? j->rule->fix : "");

    MH_BUF(filled, 2048);

    if (!code)
        code = j->rule->code ? j->rule->code : "";
    fill_all(g, j, code, limit, &filled);
    if (s && s->app && n > 0 && n < (int)sizeof(text))
        n += snprintf(text + n, sizeof(text) - (size_t)n, " Here: %s in %s, line %d.",
                      mh_name_site(g, j->site), mh_model_file(g->m, s->frames[0].file),
                      (int)s->frames[0].line);
    if (slowest && n > 0 && n < (int)sizeof(text) && strstr(code, "{read}"))
        snprintf(text + n, sizeof(text) - (size_t)n, " The slowest clean answer of %s took %s.",
                 mh_name_peer(g, j->peer), MH_SPAN(slowest));
    return json_pack("{s:o, s:o, s:o}", "library", mh_json_text_or_null(own ? library : ""), "code",
                     mh_json_text_or_null(filled.data), "text", mh_json_text(text));
}
