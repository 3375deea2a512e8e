/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: the run, the score, what took part and what could not be seen; see document.h. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/buf.h"
#include "grade/document.h"

#include "base/banned.h"

/* "2026-11-23T14:15:02Z" and "20261123T141502Z" */
static void time_texts(int64_t wall, char started[40], char id[40])
{
    time_t t = (time_t)(wall / 1000000000);
    struct tm tm;

    started[0] = id[0] = 0;
    if (!gmtime_r(&t, &tm))
        return;
    strftime(started, 40, "%Y-%m-%dT%H:%M:%SZ", &tm);
    strftime(id, 40, "%Y%m%dT%H%M%SZ", &tm);
}

static json_t *words(const char *line)
{
    json_t *list = json_array();

    while (*line) {
        char word[512];
        size_t n = strcspn(line, " ");

        snprintf(word, sizeof(word), "%.*s", (int)n, line);
        if (n)
            json_array_append_new(list, mh_json_text(word));
        line += n + (line[n] == ' ');
    }
    return list;
}

static const char *python_version(uint32_t hex, char *buf, size_t size)
{
    snprintf(buf, size, "%u.%u.%u", hex >> 24, hex >> 16 & 255, hex >> 8 & 255);
    return buf;
}

static json_t *versions(const struct mh_grading *g)
{
    json_t *o = json_pack("{s:s}", "mishap", MISHAP_VERSION);
    char text[64];

    for (size_t i = 0; i < g->m->processes.n; i++)
        if (g->m->processes.v[i].python) {
            json_object_set_new(
                o, "python",
                json_string(python_version(g->m->processes.v[i].python, text, sizeof(text))));
            break;
        }
    return o;
}

json_t *mh_document_tier(const char *letter, const char *name, bool available, const char *note)
{
    return json_pack("{s:s, s:s, s:b, s:o}", "tier", letter, "name", name, "available", available,
                     "note", note ? mh_json_text(note) : json_null());
}

static bool is_without_stacks(const struct mh_process *p)
{
    return p->no_stacks;
}

/* The note of a tier, with how many processes did not give it, and why the first one did not. */
static const char *lacks(const struct mh_model *m, bool (*lacking)(const struct mh_process *),
                         const char *note, char *buf, size_t size)
{
    const struct mh_process *first = NULL;
    size_t n = 0;

    for (size_t i = 0; i < m->processes.n; i++) {
        if (!lacking(&m->processes.v[i]) || m->processes.v[i].baseline)
            continue;
        first = first ? first : &m->processes.v[i];
        n++;
    }
    if (!n)
        return note;
    snprintf(buf, size, "%s%snot in %zu of %zu processes: %s", note ? note : "", note ? "; " : "",
             n, m->processes.n, mh_model_text(m, first->lacks));
    return buf;
}

static json_t *tiers(const struct mh_grading *g)
{
    const struct mh_model *m = g->m;
    bool trace = false, monitoring = false, inbound = g->facts & MH_FACT_server;
    char calm[64], stacks[300], followed[400];

    for (size_t i = 0; i < m->steps.n; i++) {
        trace |= m->steps.v[i].source == MH_SOURCE_trace;
        monitoring |= m->steps.v[i].source == MH_SOURCE_monitoring;
    }
    snprintf(calm, sizeof(calm), "%zu requests with no fault at work", m->calm_units);
    return json_pack(
        "[o, o, o, o, o, o, o]",
        mh_document_tier("L", "libc calls", m->acts.n > 0 || m->units.n > 0, NULL),
        mh_document_tier("S", "Python stacks", m->stacks_seen > 0,
                         lacks(m, is_without_stacks,
                               m->stacks_seen ? NULL : "no stack was recorded", stacks,
                               sizeof(stacks))),
        mh_document_tier("X", "exceptions", m->steps_seen > 0,
                         lacks(m, mh_outcomes_lacking,
                               monitoring ? "sys.monitoring"
                               : trace    ? "a trace function, from the fault until it was settled"
                               : m->steps_seen ? "the chain of exceptions being handled"
                                               : "no exception was followed",
                               followed, sizeof(followed))),
        mh_document_tier("H", "inbound HTTP", inbound,
                         !inbound    ? "no request was seen"
                         : m->sealed ? "HTTP/1.x; behind TLS when, but not what"
                                     : "HTTP/1.x, plain text"),
        mh_document_tier("W", "logs and telemetry", m->logs_seen > 0,
                         m->logs_seen ? NULL : "nothing was written to a log that can be seen"),
        mh_document_kernel_tier(g),
        mh_document_tier("B", "baseline", m->calm_units > 0,
                         m->calm_units ? calm : "no fault-free time"));
}

/* Did `mishap run` see its command to the end? Null: it was not started by that. */
static json_t *finished(const struct mh_grading *g)
{
    const struct mh_past *past = g->options->past;

    return past && past->known ? json_boolean(g->m->child_status != INT32_MIN) : json_null();
}

/* What ended before it was to: the run, or recordings of processes that went on. */
static json_t *cut(const struct mh_grading *g)
{
    const struct mh_model *m = g->m;
    int64_t begin = m->origin ? m->origin : m->first;
    const struct mh_past *past = g->options->past;
    json_t *list = json_array();

    if (past && past->known && m->child_status == INT32_MIN)
        mh_sentence(list, "mishap did not see this run to its end: it was killed, its disk was "
                          "full, or the run goes on still.");
    for (size_t i = 0; i < m->processes.n; i++)
        if (m->processes.v[i].cut && !m->processes.v[i].baseline)
            mh_sentence(list,
                        "The disk or the recording of process %d was full %.1f s into the run: "
                        "nothing was recorded or injected there from then on.",
                        m->processes.v[i].pid, (double)(m->processes.v[i].cut - begin) / 1e9);
    return list;
}

json_t *mh_document_run(const struct mh_grading *g)
{
    const struct mh_model *m = g->m;
    json_t *scenario = json_array();
    char started[40], id[40];
    int64_t begin = m->first ? m->first : m->origin;

    for (size_t i = 0; i < m->scenario.n; i++)
        json_array_append_new(scenario, mh_json_text(mh_model_text(m, m->scenario.v[i])));
    time_texts(begin, started, id);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:o, s:o}", "id",
        mh_json_text(g->options->run_id && *g->options->run_id ? g->options->run_id
                     : *id                                     ? id
                                                               : "run"),
        "command", words(mh_model_text(m, m->child_command)), "seed",
        m->seed && m->seed < UINT64_C(1) << 53 ? json_integer((json_int_t)m->seed) : json_null(),
        "started", begin > 0 ? mh_json_text_or_null(started) : json_null(), "duration_s",
        mh_json_number(m->last > begin ? (double)(m->last - begin) / 1e9 : 0, 1), "exit",
        m->child_status == INT32_MIN ? json_null()
        : m->child_stopped           ? json_integer(0)
                                     : json_integer(m->child_status),
        "scenario", scenario, "versions", versions(g), "tiers", tiers(g), "lost_events",
        (json_int_t)(m->lost + mh_kernel_missed(m)), "healthy",
        g->healthy_known ? json_boolean(g->healthy) : json_null(), "fired", (json_int_t)m->fired,
        "finished", finished(g), "cut", cut(g));
}

static void open_findings(const struct mh_grading *g, int principle, unsigned counts[5])
{
    memset(counts, 0, 5 * sizeof(*counts));
    for (size_t i = 0; i < g->judgements.n; i++) {
        const struct mh_judgement *j = &g->judgements.v[i];

        if (j->rule->principle == principle &&
            (j->verdict == MH_VERDICT_fail || j->verdict == MH_VERDICT_partial))
            counts[j->severity]++;
    }
}

static json_t *principles(const struct mh_grading *g)
{
    json_t *list = json_array();

    for (int i = 0; i < MH_PRINCIPLES; i++) {
        const struct mh_score_principle *p = &g->score.principles[i];
        unsigned open[5];

        open_findings(g, i + 1, open);
        json_array_append_new(
            list,
            json_pack("{s:i, s:s, s:o, s:o, s:{s:i, s:i, s:i, s:i}, s:i, s:i}", "number", i + 1,
                      "name", mh_principle_names[i], "score",
                      p->judged ? mh_json_number(p->score, 1) : json_null(), "evidence",
                      mh_json_number(p->coverage, 3), "open", "Critical",
                      (int)open[MH_SEVERITY_critical], "High", (int)open[MH_SEVERITY_high],
                      "Medium", (int)open[MH_SEVERITY_medium], "Low", (int)open[MH_SEVERITY_low],
                      "judged", (int)p->judged, "applicable", (int)p->rules));
    }
    return list;
}

/* Findings that are open and so severe that they hold the grade down. */
static json_t *cap_severity(const struct mh_grading *g)
{
    const struct mh_score *s = &g->score;
    enum mh_severity severity = s->criticals ? MH_SEVERITY_critical : MH_SEVERITY_high;
    unsigned n = s->criticals ? s->criticals : s->highs;
    enum mh_grade best = s->criticals ? MH_GRADE_D : s->highs >= 3 ? MH_GRADE_C : MH_GRADE_B;
    json_t *findings = json_array();
    char reason[200], more[140] = "";

    for (size_t i = 0; i < g->judgements.n; i++) {
        const struct mh_judgement *j = &g->judgements.v[i];
        char id[13];

        if ((j->verdict != MH_VERDICT_fail && j->verdict != MH_VERDICT_partial) ||
            j->confidence == MH_CONFIDENCE_low || j->severity != severity)
            continue;
        mh_finding_id(g, j, id);
        json_array_append_new(findings, json_string(id));
    }
    if (s->criticals && s->uncapped == MH_GRADE_NG) {
        best = MH_GRADE_F;
        snprintf(more, sizeof(more),
                 "; the evidence (%.0f %%) would be too little for a grade, but not for this one",
                 mh_json_shown(s->evidence, 3, 100));
    }
    snprintf(reason, sizeof(reason), "%u %s finding%s %s open%s", n, mh_severity_words[severity],
             n == 1 ? "" : "s", n == 1 ? "is" : "are", more);
    return json_pack("{s:s, s:s, s:o}", "grade", mh_grade_names[best], "reason", reason, "findings",
                     findings);
}

/* The points would give a better grade, if more of what applies had been judged. */
static json_t *cap_evidence(const struct mh_score *s)
{
    enum mh_grade better = s->uncapped == MH_GRADE_NG ? MH_GRADE_D : s->uncapped + 1;
    char reason[200];

    if (s->uncapped == MH_GRADE_NG)
        snprintf(reason, sizeof(reason),
                 "%.0f points, but only %.0f %% of what applies here was judged: too little for a "
                 "grade",
                 mh_json_shown(s->points, 1, 1), mh_json_shown(s->evidence, 3, 100));
    else
        snprintf(
            reason, sizeof(reason),
            "%.0f points, but at evidence of %.0f %% only %.1f of them are earned for certain, "
            "and %s needs %.0f",
            mh_json_shown(s->points, 1, 1), mh_json_shown(s->evidence, 3, 100), s->low,
            mh_grade_names[better], mh_score_earned_for(better)); /* 29.6 is not 30 */
    return json_pack("{s:s, s:s, s:[]}", "grade", mh_grade_names[s->uncapped], "reason", reason,
                     "findings");
}

static json_t *caps(const struct mh_grading *g)
{
    const struct mh_score *s = &g->score;
    json_t *list = json_array();

    if (s->criticals || s->highs)
        json_array_append_new(list, cap_severity(g));
    if (s->judged && s->grade == s->uncapped &&
        (s->uncapped == MH_GRADE_NG || mh_score_by_points(s->points) > s->uncapped))
        json_array_append_new(list, cap_evidence(s));
    return list;
}

/* Mean worth of the outcomes; every site counts the same, however often it was hit. */
static json_t *survival(const struct mh_grading *g)
{
    double sum = 0;
    unsigned sites = 0;

    for (uint32_t site = 0; site <= g->m->sites.n; site++) {
        double worth = 0;
        unsigned n = 0;

        for (size_t i = 0; i < g->trials.n; i++) {
            const struct mh_trial *t = &g->trials.v[i];

            if (t->site != site || t->outcome == MH_OUTCOME_unknown || !t->fault)
                continue;
            worth += mh_outcome_worth[t->outcome];
            n++;
        }
        if (n) {
            sum += worth / n;
            sites++;
        }
    }
    return sites ? mh_json_number(sum / sites, 2) : json_null();
}

json_t *mh_document_score(const struct mh_grading *g)
{
    const struct mh_score *s = &g->score;

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "grade",
                     mh_grade_names[s->grade], "points",
                     s->judged ? mh_json_number(s->points, 1) : json_null(), "evidence",
                     mh_json_number(s->evidence, 3), "low", mh_json_number(s->low, 1), "high",
                     mh_json_number(s->high, 1), "survival_index", survival(g), "caps", caps(g),
                     "principles", principles(g), "judged", s->judged);
}

json_t *mh_document_peers(const struct mh_grading *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->m->peers.n; i++) {
        const struct mh_peer_seen *p = &g->m->peers.v[i];

        if (!p->calls && !p->faults && !p->failures)
            continue;
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:I, s:I, s:I}", "name",
                      mh_json_text(mh_model_text(g->m, p->name)), "role",
                      p->role == MH_ROLE_other ? json_null() : json_string(mh_role_names[p->role]),
                      "calls", (json_int_t)p->calls, "faults", (json_int_t)p->faults, "failures",
                      (json_int_t)p->failures));
    }
    return list;
}

json_t *mh_document_processes(const struct mh_grading *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        const struct mh_kernel_end *killed;
        char version[32];

        if (!p->recorded || p->baseline)
            continue;
        killed = p->exited ? NULL : mh_document_killed(g, p->pid);
        json_array_append_new(
            list,
            json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:b}", "pid", p->pid < 0 ? 0 : p->pid,
                      "command", mh_json_text(mh_model_text(g->m, p->command)), "python",
                      p->python ? json_string(python_version(p->python, version, sizeof(version)))
                                : json_null(),
                      "exit",
                      killed                             ? json_integer(128 + killed->signal)
                      : p->exited && p->exit_status >= 0 ? json_integer(p->exit_status)
                                                         : json_null(),
                      "ended",
                      killed        ? mh_document_killed_text(g, killed)
                      : p->detached ? json_string("mishap was detached from it, and it runs on")
                                    : json_null(),
                      "role", mh_process_role(p) ? json_string(mh_process_role(p)) : json_null(),
                      "attached", p->attached));
    }
    return list;
}

/* Inbound connections on which requests cannot be told from bytes. */
static void unread_blind_spots(const struct mh_grading *g, json_t *list)
{
    static const char *const what[MH_SPOKEN_COUNT] = {
        [MH_SPOKEN_tls] = "speak TLS: when requests on them came and were answered is seen, not "
                          "what for, nor with what status",
        [MH_SPOKEN_http2] = "speak HTTP/2, which is not read",
        [MH_SPOKEN_tls_http2] =
            "speak HTTP/2 behind TLS, or may do so: requests on them are not seen",
        [MH_SPOKEN_websocket] =
            "became WebSockets: each is one unit of work, and its messages are not read",
    };

    for (int i = 1; i < MH_SPOKEN_COUNT; i++)
        if (g->m->unread[i])
            mh_sentence(list, "%llu inbound connections %s.", (unsigned long long)g->m->unread[i],
                        what[i]);
}

/* The first frames with a name, and where they are, as far as there are any. */
static void add_native(const struct mh_model *m, uint32_t stack, struct mh_buf *b)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;
    unsigned told = 0;

    for (uint32_t i = 0; s && i < s->nframes && told < 3; i++) {
        const struct mh_frame *f = &m->frames.v[s->frames + i];

        if (!strcmp(mh_model_text(m, f->function), "?"))
            continue;
        mh_buf_add(b, told++ ? " < " : " in ");
        mh_buf_add(b, mh_model_text(m, f->function));
    }
}

/* Interpreters that did not survive a refused allocation. */
static void crash_blind_spots(const struct mh_grading *g, json_t *list)
{
    for (size_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        const struct mh_kernel_end *killed = mh_document_killed(g, p->pid);
        int signal = killed                     ? killed->signal
                     : g->m->child_status > 128 ? g->m->child_status - 128
                                                : 0;
        MH_BUF(where, 400);

        if (p->baseline || !mh_crashed_of_memory(p) || g->m->child_stopped ||
            (signal != SIGSEGV && signal != SIGABRT && signal != SIGBUS && signal != SIGILL))
            continue;
        add_native(g->m, p->refused_native, &where);
        mh_sentence(list,
                    "Process %d crashed just after an allocation was refused%s: that is the "
                    "interpreter's doing or a library's, and is not held against the application.",
                    p->pid, where.data);
    }
}

/* Nobody waited for them: whether they were killed or go on still is not known. */
static void silent_ends(const struct mh_grading *g, json_t *list)
{
    size_t n = 0, of = 0;

    for (size_t i = 0; g->m->child_status == INT32_MIN && i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];

        of += !p->baseline && p->recorded;
        n += !p->baseline && p->recorded && !p->exited && !p->complete && !p->cut;
    }
    if (n)
        mh_sentence(list,
                    "%zu of %zu processes left no word of their end: killed, or running still.", n,
                    of);
}

json_t *mh_document_blind_spots(const struct mh_grading *g)
{
    const struct mh_model *m = g->m;
    json_t *list = json_array(), *ended = cut(g);
    size_t ambiguous = 0, background = 0;

    json_array_extend(list, ended);
    json_decref(ended);
    mh_document_kernel_blind_spots(g, list);
    for (size_t i = 0; i < m->notes.n && i < 20; i++)
        json_array_append_new(list, mh_json_text(mh_model_text(m, m->notes.v[i])));
    for (size_t i = 0; i < m->skipped.n && i < 20; i++)
        json_array_append_new(list, mh_json_text(mh_model_text(m, m->skipped.v[i])));
    mh_document_unkept(m, list);
    mh_document_untold(m, list);
    for (size_t i = 0; i < g->trials.n; i++)
        ambiguous += g->trials.v[i].ambiguous;
    for (size_t i = 0; i < g->cases.n; i++)
        background += g->cases.v[i].background;
    if (ambiguous)
        mh_sentence(
            list,
            "%zu of %zu faulted units of work are the likeliest of several in flight: who began "
            "that work was not seen.",
            ambiguous, g->trials.n);
    if (background)
        mh_sentence(list, "%zu faults and failures belong to no unit of work: background.",
                    background);
    unread_blind_spots(g, list);
    crash_blind_spots(g, list);
    silent_ends(g, list);
    if (!m->calm_units)
        mh_sentence(list, "There was no time without faults to compare with.");
    return list;
}
