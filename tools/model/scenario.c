/* SPDX-License-Identifier: Apache-2.0 */
/* Records about the scenario in force: faults, phases, the run's clock. Each process writes them;
 * the model keeps one of each. See read.h. */
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "model/read.h"

#include "base/banned.h"

size_t mh_intake_line(const struct mh_intake *in, unsigned i, const char **ret)
{
    const char *p = in->record->tail, *end = p + in->record->tail_len, *stop;

    for (;; p = stop + 1) {
        stop = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (!stop)
            stop = end;
        if (i-- == 0) {
            *ret = p;
            return p < end ? (size_t)(stop - p) : 0;
        }
        if (stop >= end)
            return 0;
    }
}

static int scenario_add(struct mh_model *m, uint32_t file)
{
    uint32_t *slot;

    for (size_t i = 0; i < m->scenario.n; i++)
        if (m->scenario.v[i] == file)
            return 0;
    slot = file ? mh_vec_add(&m->scenario) : &(uint32_t){0};
    if (!slot)
        return -ENOMEM;
    *slot = file;
    return 0;
}

static struct mh_fault_seen *fault_named(struct mh_model *m, uint32_t name, uint32_t file, int line)
{
    for (size_t i = 0; i < m->faults.n; i++) {
        struct mh_fault_seen *f = &m->faults.v[i];

        if (f->defined && f->name == name && f->file == file && f->line == line)
            return f;
    }
    return mh_vec_add(&m->faults);
}

int mh_intake_fault(struct mh_intake *in)
{
    struct mh_ev_fault e = mh_record_as(in->record, fault);
    int64_t texts[3];
    struct mh_fault_seen *f;

    for (unsigned i = 0; i < 3; i++) {
        const char *line = "";
        size_t n = mh_intake_line(in, i, &line);

        texts[i] = mh_texts_add(&in->m->texts, line, n);
        if (texts[i] < 0)
            return -ENOMEM;
    }
    if (e.fault < 0 || e.fault > 4096)
        return 0;
    f = fault_named(in->m, (uint32_t)texts[0], (uint32_t)texts[1], (int)e.line);
    if (!f || mh_map_set(&in->faults, (uint64_t)e.fault, (uint32_t)(f - in->m->faults.v)) < 0)
        return -ENOMEM;
    f->name = (uint32_t)texts[0];
    f->file = (uint32_t)texts[1];
    f->sentence = (uint32_t)texts[2];
    f->line = (int)e.line;
    f->ops = (uint64_t)e.ops;
    f->effects = (uint32_t)e.effects;
    f->delay = mh_intake_time(e.delay_ns);
    f->defined = true;
    return scenario_add(in->m, f->file);
}

static int phase_fault(struct mh_model *m, struct mh_phase_seen *p, const char *name, size_t n)
{
    int64_t text = mh_texts_add(&m->texts, name, n);

    for (size_t i = 0; i < m->faults.n && text > 0; i++) {
        uint32_t *slot;

        if (m->faults.v[i].name != (uint32_t)text)
            continue;
        slot = mh_vec_add(&p->faults);
        if (!slot)
            return -ENOMEM;
        *slot = (uint32_t)i + 1;
        m->faults.v[i].in_phases = true;
    }
    return text < 0 ? -ENOMEM : 0;
}

/* Times are kept relative to the origin until all files are read. */
int mh_intake_phase(struct mh_intake *in)
{
    struct mh_ev_phase e = mh_record_as(in->record, phase);
    const char *name = "";
    size_t n = mh_intake_line(in, 0, &name);
    struct mh_phase_seen *p;
    int64_t text = mh_texts_add(&in->m->texts, name, n);

    if (text < 0 || e.phase < 0 || e.phase > 4096 || mh_intake_process(in)->baseline)
        return text < 0 ? -ENOMEM : 0;
    while ((size_t)e.phase >= in->m->phases.n)
        if (!mh_vec_add(&in->m->phases))
            return -ENOMEM;
    p = &in->m->phases.v[e.phase];
    if (p->defined)
        return 0;
    p->defined = true;
    p->name = (uint32_t)text;
    p->start = mh_intake_time(e.start_ns);
    p->end = e.for_ns > 0 ? p->start + mh_intake_time(e.for_ns) : 0;
    for (unsigned i = 1; (n = mh_intake_line(in, i, &name)) > 0; i++)
        if (phase_fault(in->m, p, name, n))
            return -ENOMEM;
    return 0;
}

int mh_intake_origin(struct mh_intake *in)
{
    struct mh_ev_origin e = mh_record_as(in->record, origin);

    if (!mh_intake_process(in)->baseline && e.origin_at > 0 && !in->m->origin)
        in->m->origin = mh_intake_time(e.origin_at) + in->offset;
    return 0;
}
