/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: units of work that are no requests, one by one: runs of tasks and of commands. */
#include "grade/document.h"

#include "base/banned.h"

enum { MOST = 5000 }; /* of them are listed; routes[] counts all */

static json_t *text_or_null(const struct mh_grading *g, uint32_t text)
{
    return mh_json_text_or_null(mh_model_text(g->m, text));
}

static json_t *unit_json(const struct mh_grading *g, const struct mh_unit *u)
{
    const struct mh_model *m = g->m;
    static const struct mh_task none;
    const struct mh_task *t = u->task_run ? &m->tasks.v[u->task_run - 1] : &none;
    const struct mh_process *p = &m->processes.v[u->process];
    uint32_t name = t->name                      ? t->name
                    : u->kind == MH_UNIT_command ? u->path
                                                 : m->routes.v[u->route - 1].name;
    const char *state = u->task_run         ? mh_task_state_names[t->state]
                        : u->open           ? "unknown"
                        : mh_unit_failed(u) ? "failed"
                                            : "succeeded";

    return json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:i, s:o, s:o, s:b, s:b}", "kind",
                     mh_unit_kind_names[u->kind], "name", text_or_null(g, name), "id",
                     text_or_null(g, t->id), "framework", text_or_null(g, t->framework), "state",
                     state, "exception", text_or_null(g, t->exception), "pid",
                     p->pid < 0 ? 0 : p->pid, "start_s",
                     mh_json_number((double)(u->begun - m->first) / 1e9, 3), "latency_ms",
                     mh_json_number((double)u->latency / 1e6, 2), "exact", !u->task_run || t->exact,
                     "faulted", u->faulted);
}

json_t *mh_document_units(const struct mh_grading *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->m->units.n && json_array_size(list) < MOST; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->kind != MH_UNIT_request && !g->m->processes.v[u->process].baseline)
            json_array_append_new(list, unit_json(g, u));
    }
    return list;
}
