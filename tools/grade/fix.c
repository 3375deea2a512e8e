/* SPDX-License-Identifier: Apache-2.0 */
/* The fix of a finding: the advice that was chosen, with the application's own names and measured
 * numbers filled in; the rule's own where there is none. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/document.h"
#include "model/site.h"

#include "base/banned.h"

enum { READ_LEAST = 1, READ_MOST = 60 };

/* What placeholders stand for, and the room for those that are made here. */
struct values {
    const char *of[MH_PLACEHOLDERS];
    char call[160], site[240], read[16], p99[32], failed[16];
    int64_t slowest; /* clean answer of the peer, 0 none */
};

static void measure(const struct mh_grading *g, uint32_t peer, struct values *v)
{
    const struct mh_peer_seen *p = peer ? &g->m->peers.v[peer - 1] : NULL;
    size_t n = p ? p->latencies.n : 0;
    int64_t *sorted = n ? malloc(n * sizeof(*sorted)) : NULL;
    double limit;

    if (!sorted)
        return;
    memcpy(sorted, p->latencies.v, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), mh_compare_int64);
    v->slowest = sorted[n - 1];
    limit = ceil((double)v->slowest / 1e9 * 2);
    snprintf(v->read, sizeof(v->read), "%d", (int)MH_MAX(MH_MIN(limit, READ_MOST), READ_LEAST));
    mh_name_span(mh_quantile(sorted, n, 0.99), v->p99, sizeof(v->p99));
    free(sorted);
}

static void name_call(const struct mh_grading *g, const struct mh_frame *f, struct values *v)
{
    char package[64];

    if (!f)
        return;
    mh_package_of(mh_model_text(g->m, f->file), package, sizeof(package));
    snprintf(v->call, sizeof(v->call), "%s%s%s", package, *package ? "." : "",
             mh_model_text(g->m, f->function));
}

/* As it stands after `def`; NULL for what has no name of its own. Snippets call what is to be
 * guarded fetch() or afetch(): a function of that name would call itself. */
static const char *plain_name(const char *qualified)
{
    const char *dot = strrchr(qualified, '.'), *name = dot ? dot + 1 : qualified;

    if (!strcmp(name, "fetch") || !strcmp(name, "afetch"))
        return "fetch_guarded";
    return strchr(name, '<') || strchr(name, ' ') ? NULL : name;
}

static void look_up(const struct mh_grading *g, const struct mh_judgement *j,
                    const struct mh_advice_choice *choice, struct values *v)
{
    const struct mh_site *s = j->site ? &g->m->sites.v[j->site - 1] : NULL;
    const struct mh_trial *t = j->trial ? &g->trials.v[j->trial - 1] : NULL;

    *v = (struct values){.slowest = 0};
    measure(g, j->peer, v);
    name_call(g, choice->call, v);
    snprintf(v->failed, sizeof(v->failed), "%u", j->failed);
    if (s && s->app)
        snprintf(v->site, sizeof(v->site), "%s in %s, line %d", mh_name_site(g, j->site),
                 mh_model_file(g->m, s->frames[0].file), (int)s->frames[0].line);
    v->of[MH_PLACEHOLDER_peer] = mh_name_peer(g, j->peer);
    v->of[MH_PLACEHOLDER_call] = v->call;
    v->of[MH_PLACEHOLDER_error] = choice->client ? choice->client->text[MH_ADVICE_error] : NULL;
    v->of[MH_PLACEHOLDER_function] = s && s->app ? plain_name(mh_name_site(g, j->site)) : NULL;
    v->of[MH_PLACEHOLDER_file] = s && s->app ? mh_model_file(g->m, s->frames[0].file) : NULL;
    v->of[MH_PLACEHOLDER_site] = v->site;
    v->of[MH_PLACEHOLDER_route] = t && t->unit ? mh_name_route(g, t->unit) : NULL;
    v->of[MH_PLACEHOLDER_errno] = t ? mh_name_err(t->kind, t->err) : NULL;
    v->of[MH_PLACEHOLDER_read] = v->read;
    v->of[MH_PLACEHOLDER_p99] = v->p99;
    v->of[MH_PLACEHOLDER_failed] = v->failed;
}

/* What is to be done, where, and what was measured. */
static json_t *text_of(const struct mh_grading *g, const struct mh_judgement *j, const char *say,
                       const char *code, const char *note, const struct values *v)
{
    _cleanup_free_ char *filled = mh_advice_fill(say, v->of), *text = NULL;
    bool limit = strstr(code, "{read}") || strstr(say, "{read}");
    char where[300] = "", measured[300] = "";

    if (filled && *filled && *v->site)
        snprintf(where, sizeof(where), "Here: %s.", v->site);
    if (limit && v->slowest)
        snprintf(measured, sizeof(measured), "The slowest clean answer of %s took %s.",
                 mh_name_peer(g, j->peer), MH_SPAN(v->slowest));
    if (!filled || asprintf(&text, "%s%s%s%s%s%s%s", filled, *where ? " " : "", where,
                            *measured ? " " : "", measured, *note ? " " : "", note) < 0) {
        text = NULL;
        return NULL;
    }
    return mh_json_text(text);
}

/* What must be known of the library: said only where it is no longer kept up, or of this advice. */
static const char *note_of(const struct mh_advice_choice *choice)
{
    const char *status = choice->library ? choice->library->text[MH_ADVICE_status] : NULL;
    const char *note = choice->row ? choice->row->text[MH_ADVICE_note] : NULL;

    if (!note && status && strncmp(status, "maintained ", 11) != 0)
        note = choice->library->text[MH_ADVICE_about];
    return note ? note : "";
}

json_t *mh_fix_json(const struct mh_grading *g, const struct mh_judgement *j)
{
    _cleanup_free_ char *filled = NULL, *note = NULL;
    struct mh_advice_choice choice;
    const char *say, *code;
    struct values v;
    bool own;

    mh_advice_choose(g, j, &choice);
    look_up(g, j, &choice, &v);
    own = choice.row && !choice.library->always;
    say = choice.row ? choice.row->text[MH_ADVICE_say] : NULL;
    code = choice.row ? choice.row->text[MH_ADVICE_code] : NULL;
    if (!say)
        say = j->rule->fix ? j->rule->fix : "";
    if (!choice.row)
        code = j->rule->code;
    filled = mh_advice_fill(code ? code : "", v.of);
    note = mh_advice_fill(note_of(&choice), v.of);
    return json_pack("{s:o, s:o, s:o, s:o}", "library",
                     own ? mh_json_text(choice.library->text[MH_ADVICE_name]) : json_null(), "code",
                     mh_json_text_or_null(filled ? filled : ""), "text",
                     text_of(g, j, say, code ? code : "", note ? note : "", &v), "docs",
                     mh_json_text_or_null(choice.row && choice.row->text[MH_ADVICE_docs]
                                              ? choice.row->text[MH_ADVICE_docs]
                                              : ""));
}
