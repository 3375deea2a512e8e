/* SPDX-License-Identifier: Apache-2.0 */
/* Operations to trials and cases; see judge.h. A trial is one unit of work that one fault hit at
 * one site, however many operations it took (see trial_key). Errors that follow from it on the same
 * connection, probing for files, and what no unit of work waited for are not trials. */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static bool is_network(enum mh_op_kind kind)
{
    return kind == MH_OP_connect || kind == MH_OP_recv || kind == MH_OP_send ||
           kind == MH_OP_getaddrinfo || kind == MH_OP_accept;
}

/* Errors that are nobody's fault: any peer, disk or limit gives them some day. */
static bool is_expected(enum mh_op_kind kind, int err)
{
    static const int errors[] = {ECONNREFUSED, ECONNRESET, ETIMEDOUT,   EPIPE,  EHOSTUNREACH,
                                 ENETUNREACH,  ENOSPC,     EIO,         EMFILE, ENFILE,
                                 EDQUOT,       ENOBUFS,    ECONNABORTED};

    if (kind == MH_OP_getaddrinfo)
        return err == EAI_AGAIN || err == EAI_FAIL;
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        if (errors[i] == err)
            return true;
    return false;
}

static bool gave_error(const struct mh_op_seen *o)
{
    return o->err || o->effect - 1 == MH_EFFECT_eof || o->effect - 1 == MH_EFFECT_reset ||
           o->effect - 1 == MH_EFFECT_kill;
}

/* Methods that may be sent twice. For a protocol that is not HTTP nothing is known: not safe. */
static bool is_safe(const struct mh_grading *g, const struct mh_op_seen *o)
{
    static const char *const methods[] = {"GET ", "HEAD ", "PUT ", "DELETE ", "OPTIONS "};
    enum mh_redis_use use;
    const char *text;

    if (o->kind == MH_OP_connect || o->kind == MH_OP_getaddrinfo)
        return true;
    if (!o->attempt)
        return false;
    text = mh_model_text(g->m, g->m->acts.v[o->attempt - 1].attempt.text);
    use = mh_redis_use_of(text);
    /* no HTTP: a send that failed sent nothing, so nobody can have acted on it */
    if ((!*text || use) && o->kind == MH_OP_send && o->err)
        return true;
    if (use)
        return use == MH_REDIS_read || use == MH_REDIS_range || use == MH_REDIS_lease ||
               use == MH_REDIS_drop;
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (!strncmp(text, methods[i], strlen(methods[i])))
            return true;
    return false;
}

bool mh_is_changing(const char *text)
{
    static const char *const methods[] = {"POST ", "PUT ", "PATCH ", "DELETE "};

    for (size_t k = 0; k < ARRAY_SIZE(methods); k++)
        if (!strncmp(text, methods[k], strlen(methods[k])))
            return true;
    return false;
}

static bool is_write(const struct mh_grading *g, const struct mh_op_seen *o)
{
    const char *text =
        o->attempt ? mh_model_text(g->m, g->m->acts.v[o->attempt - 1].attempt.text) : "";

    if (o->kind == MH_OP_write || o->kind == MH_OP_fsync || o->kind == MH_OP_rename ||
        o->kind == MH_OP_ftruncate || o->kind == MH_OP_close)
        return true;
    if (o->kind == MH_OP_send && (!*text || mh_redis_use_of(text) == MH_REDIS_other))
        return true;
    if (mh_redis_use_of(text))
        return mh_redis_use_of(text) == MH_REDIS_keep || mh_redis_use_of(text) == MH_REDIS_push ||
               mh_redis_use_of(text) == MH_REDIS_drop;
    return mh_is_changing(text);
}

struct making {
    struct mh_grading *g;
    struct mh_map keys, hurt; /* hurt: connections that a fault has hit */
    struct mh_map struck;     /* attempts of which a fault hit something */
    struct mh_shares shares;
};

/* A datagram sent into the blue, of which the kernel tells at the next one that nobody took it:
 * statsd and its like are made so that nobody need care. No stream is refused by a send. */
static bool is_stray(const struct mh_model *m, const struct mh_op_seen *o, const struct mh_act *a)
{
    return o->kind == MH_OP_send && o->err == ECONNREFUSED && a->peer &&
           m->peers.v[a->peer - 1].role == MH_ROLE_telemetry;
}

/* Is this operation something to be judged at all? */
static bool counts(struct making *k, const struct mh_op_seen *o, const struct mh_act *a)
{
    bool hurt = a->conn && mh_map_get(&k->hurt, a->conn) != MH_MAP_NONE;

    if (o->fault)
        return true;
    if (hurt || !o->err || is_stray(k->g->m, o, a))
        return false;
    return is_expected(o->kind, o->err) && (is_network(o->kind) || o->err != EMFILE);
}

/* What is judged is how a unit coped, and it ended in one way: a request that tries three times and
 * fails is one sample, not three. Were each counted, it alone would be enough for a verdict, and
 * four of them for a high confidence. Of its failures the last one tells what became of it: the one
 * before had led to that try. Only of a command that writes a file again and again the further ones
 * are counted, too (judge.c). */
static uint64_t trial_key(const struct mh_op_seen *o, const struct mh_act *a)
{
    uint64_t key = mh_mix2(a->unit, a->site);

    key = mh_mix2(key, mh_mix2(a->peer, o->path));
    return mh_mix2(key, o->fault ? (uint64_t)o->fault : 1000000u + (unsigned)o->err);
}

/* Exceptions that steer a program and report nothing: seen while another one is on its way, they
 * are not what became of it. */
static bool steers(const char *type)
{
    static const char *const names[] = {"GeneratorExit",  "StopIteration", "StopAsyncIteration",
                                        "CancelledError", "Empty",         "WouldBlock"};
    const char *dot = strrchr(type, '.');

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(dot ? dot + 1 : type, names[i]))
            return true;
    return false;
}

/* Types that say that the program itself is wrong, not the world: no errno leads to them. */
static bool is_mistake(const char *type)
{
    static const char *const names[] = {"AttributeError", "UnboundLocalError", "TypeError",
                                        "KeyError",       "NameError",         "IndexError",
                                        "JSONDecodeError"};
    const char *dot = strrchr(type, '.');

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(dot ? dot + 1 : type, names[i]))
            return true;
    return false;
}

static void trial_steps(const struct mh_model *m, const struct mh_op_seen *o, struct mh_trial *t)
{
    t->watched |= o->nsteps > 0;
    for (uint32_t i = 0; i < o->nsteps; i++) {
        const struct mh_step_seen *s = &m->steps.v[o->steps + i];

        if (steers(mh_model_text(m, s->type)))
            continue;
        switch (s->step) {
        case MH_STEP_born:
            t->type_born = t->type_last = s->type;
            break;
        case MH_STEP_replaced:
            t->type_last = s->type;
            t->followed = t->caught = t->lost = t->translated = false;
            t->type_handler = 0;
            if (s->frame.kind != MH_FRAME_app)
                break;
            t->raised = s->frame;
            if (is_mistake(mh_model_text(m, s->type)))
                t->type_handler = s->type;
            else
                t->translated = true;
            break;
        case MH_STEP_reraised:
            t->followed = t->caught = t->lost = false;
            break;
        case MH_STEP_handled:
            t->caught = t->followed = true;
            t->lost = false;
            t->handler = s->frame;
            break;
        case MH_STEP_lost:
            t->lost = true;
            t->lost_in = s->frame;
            /* fallthrough */
        case MH_STEP_unhandled:
            t->followed = true;
            t->caught = false;
            break;
        default:
            break;
        }
        if (!t->type_born)
            t->type_born = t->type_last = s->type;
    }
}

int32_t mh_app_line(const struct mh_model *m, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    for (uint32_t i = 0; s && i < s->nframes; i++)
        if (m->frames.v[s->frames + i].kind == MH_FRAME_app)
            return m->frames.v[s->frames + i].line;
    return 0;
}

/* Is this the same thing tried again, and not the next thing asked of the same peer? */
static bool is_again(const struct mh_model *m, const struct mh_op_seen *o, const struct mh_act *a)
{
    const struct mh_act *before = o->attempt ? &m->acts.v[o->attempt - 1] : NULL;
    int32_t line = mh_app_line(m, m->acts.v[o->act].stack), other = mh_app_line(m, a->stack);

    if (!before || !before->attempt.digest || !a->attempt.digest || !line || !other)
        return true;
    return line == other || before->attempt.digest == a->attempt.digest;
}

/* Did a queue run this task again, by its own wish, and to a good end? */
static void trial_run_again(const struct mh_model *m, const struct mh_unit *u, struct mh_trial *t)
{
    const struct mh_task *run = u->task_run ? &m->tasks.v[u->task_run - 1] : NULL;

    if (!run || run->state != MH_TASK_retried)
        return;
    t->retried = true;
    for (size_t i = 0; i < m->units.n && !t->retry_ok; i++) {
        const struct mh_unit *v = &m->units.v[i];
        const struct mh_task *later = v->task_run ? &m->tasks.v[v->task_run - 1] : NULL;

        t->retry_ok = later && later->id == run->id && v->begun > u->begun &&
                      later->state == MH_TASK_succeeded;
    }
}

/* What the unit did after the failure: the same thing again, or another peer. */
static void trial_after(const struct mh_model *m, const struct mh_op_seen *o, struct mh_trial *t)
{
    const struct mh_unit *u = &m->units.v[t->unit - 1];
    int64_t from = m->acts.v[o->act].until;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &m->acts.v[m->by_unit.v[u->first_act + i]];

        if (a->kind != MH_ACT_attempt || a->at < m->acts.v[o->act].at ||
            (o->attempt && a == &m->acts.v[o->attempt - 1]))
            continue;
        if (a->peer == t->peer && t->peer) {
            if (!is_again(m, o, a))
                continue;
            t->retried = true;
            t->retry_ok |= !a->failed;
        } else if (a->at >= from - INT64_C(1000000))
            t->fallback = true;
    }
    trial_run_again(m, u, t);
}

/* It gave up on a delay or a hang: for the program that was an error, made by its own limit. */
static bool gave_up(const struct mh_model *m, const struct mh_op_seen *o)
{
    const struct mh_act *attempt = o->attempt ? &m->acts.v[o->attempt - 1] : NULL;

    return (o->effect - 1 == MH_EFFECT_delay || mh_effect_silent(o->effect)) && attempt &&
           attempt->failed && attempt->attempt.err == ETIMEDOUT &&
           attempt->attempt.ended >= m->acts.v[o->act].at &&
           /* late, but it was connected: the request went out */
           !(o->kind == MH_OP_connect && attempt->attempt.digest);
}

static int learn_struck(struct making *k)
{
    const struct mh_model *m = k->g->m;
    int r = 0;

    for (size_t i = 0; i < m->ops.n && !r; i++)
        if (m->ops.v[i].fault && m->ops.v[i].attempt)
            r = mh_map_set(&k->struck, m->ops.v[i].attempt, 1);
    return r;
}

/* Was the last try after the injected failure ended by another one, which nobody injected? Then the
 * unit ended of that: a peer that is late on a busy machine, say. */
static bool is_overtaken(const struct making *k, const struct mh_op_seen *o,
                         const struct mh_trial *t)
{
    const struct mh_model *m = k->g->m;
    const struct mh_unit *u = &m->units.v[t->unit - 1];
    const struct mh_act *last = NULL;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &m->acts.v[m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->peer == t->peer && t->peer &&
            a->at >= m->acts.v[o->act].at && !(o->attempt && a == &m->acts.v[o->attempt - 1]) &&
            is_again(m, o, a))
            last = a;
    }
    return o->fault && last && last->failed && last->attempt.err != o->err &&
           mh_map_get(&k->struck, (uint32_t)(last - m->acts.v) + 1) == MH_MAP_NONE;
}

/* A command that ended with it, by itself: nothing can come after that. */
static bool is_over(const struct mh_unit *u)
{
    return u->kind == MH_UNIT_command && mh_unit_failed(u) && u->how != 1;
}

static int trial_new(struct making *k, uint32_t op, uint64_t key)
{
    struct mh_grading *g = k->g;
    const struct mh_op_seen *o = &g->m->ops.v[op];
    const struct mh_act *a = &g->m->acts.v[o->act];
    struct mh_trial *t = mh_vec_add(&g->trials);
    const struct mh_route *r = &g->m->routes.v[g->m->units.v[a->unit - 1].route - 1];

    if (!t || mh_map_set(&k->keys, key, (uint32_t)g->trials.n - 1))
        return -ENOMEM;
    *t = (struct mh_trial){.unit = a->unit,
                           .site = a->site,
                           .peer = a->peer,
                           .path = o->path,
                           .op = op,
                           .nops = 1,
                           .fault = o->fault,
                           .effect = o->effect,
                           .err = o->err,
                           .kind = o->kind,
                           .error = gave_error(o),
                           .ambiguous = a->ambiguous,
                           .one_shot = mh_is_one_shot(g, &k->shares, o, a),
                           .healthy_after = r->last_ok > a->until || mh_went_on(k->g, a) ||
                                            is_over(&g->m->units.v[a->unit - 1])};
    t->timed_out = gave_up(g->m, o);
    t->untold = mh_effect_untold(o->effect);
    t->error |= t->timed_out;
    mh_trial_walk(g->m, o, t);
    t->expected = is_expected(o->kind, o->err) || (t->error && !o->err);
    t->presend = o->kind == MH_OP_connect || o->kind == MH_OP_getaddrinfo ||
                 (o->kind == MH_OP_send && o->err);
    t->safe = is_safe(g, o);
    t->write = is_write(g, o);
    trial_steps(g->m, o, t);
    trial_after(g->m, o, t);
    t->overtaken = t->error && t->retried && is_overtaken(k, o, t);
    return 0;
}

static int case_count(struct mh_grading *g, struct mh_trial *t, uint32_t route)
{
    uint64_t key = mh_mix2(mh_mix2(t->site, t->peer), mh_mix2(t->path, route));
    uint32_t have;
    struct mh_case *c;

    key = mh_mix2(key, t->fault ? (uint64_t)t->fault : 1000000u + (unsigned)t->err);
    key = mh_mix2(key, t->one_shot);
    have = mh_map_get(&g->case_keys, key);
    if (have == MH_MAP_NONE) {
        have = (uint32_t)g->cases.n;
        c = mh_vec_add(&g->cases);
        if (!c || mh_map_set(&g->case_keys, key, have))
            return -ENOMEM;
        *c = (struct mh_case){.key = key,
                              .site = t->site,
                              .peer = t->peer,
                              .path = t->path,
                              .route = route,
                              .fault = t->fault,
                              .err = t->err,
                              .effect = t->effect,
                              .one_shot = t->one_shot};
    }
    c = &g->cases.v[have];
    t->case_of = have;
    c->fired++;
    if (t->unit)
        c->outcomes[t->outcome]++;
    else
        c->background++;
    return 0;
}

static int background_case(struct making *k, const struct mh_op_seen *o, const struct mh_act *a)
{
    struct mh_trial t = {.site = a->site,
                         .peer = a->peer,
                         .path = o->path,
                         .fault = o->fault,
                         .err = o->err,
                         .effect = o->effect,
                         .one_shot = mh_is_one_shot(k->g, &k->shares, o, a)};

    return case_count(k->g, &t, 0);
}

static int take_op(struct making *k, uint32_t op)
{
    const struct mh_op_seen *o = &k->g->m->ops.v[op];
    const struct mh_act *a = &k->g->m->acts.v[o->act];
    uint64_t key = trial_key(o, a);
    uint32_t have;

    if (!counts(k, o, a))
        return 0;
    if (o->fault && a->conn && mh_map_set(&k->hurt, a->conn, 1))
        return -ENOMEM;
    if (k->g->m->processes.v[a->process].baseline)
        return 0;
    if (!a->unit)
        return background_case(k, o, a);
    have = mh_map_get(&k->keys, key);
    if (have == MH_MAP_NONE)
        return trial_new(k, op, key);
    k->g->trials.v[have].nops++;
    k->g->trials.v[have].ambiguous |= a->ambiguous;
    k->g->trials.v[have].untold |= mh_effect_untold(o->effect);
    /* a delay first, an error later on: the error is what the unit had to cope with */
    if (gave_error(o) && !k->g->trials.v[have].error) {
        struct mh_trial *t = &k->g->trials.v[have];

        t->error = true;
        t->timed_out = false;
        t->err = o->err;
        t->op = op;
        t->expected = is_expected(o->kind, o->err) || !o->err;
    }
    if (gave_error(o)) /* the last address of a name has no next: the walk was in vain */
        mh_trial_walk(k->g->m, o, &k->g->trials.v[have]);
    if (o->nsteps) {
        struct mh_trial *t = &k->g->trials.v[have];

        t->caught = t->followed = t->translated = false;
        t->type_born = t->type_handler = 0;
        trial_steps(k->g->m, o, t);
    }
    return 0;
}

/* Is there such a file? A no is an answer; and so is a failure of which the library that asked made
 * one, as os.path.exists() does, or that C code goes on without: the application had nothing to
 * cope with, and nobody can tell how it would have. */
static bool is_answer(const struct mh_grading *g, const struct mh_trial *t)
{
    static const int nos[] = {ENOENT, EACCES, ENOTDIR, ELOOP, ENAMETOOLONG};

    if (!t->error || !t->err || !mh_op_asks(t->kind))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(nos); i++)
        if (nos[i] == t->err)
            return true;
    return !t->type_born || (t->caught && t->handler.kind != MH_FRAME_app &&
                             !mh_unit_failed(mh_grading_unit(g, t->unit)));
}

int mh_trials_make(struct mh_grading *g)
{
    struct making k = {.g = g};
    int r = mh_shares_count(g, &k.shares);

    if (!r)
        r = learn_struck(&k);
    for (uint32_t i = 0; i < g->m->ops.n && !r; i++)
        r = take_op(&k, i);
    for (size_t i = 0; i < g->trials.n && !r; i++) {
        struct mh_trial *t = &g->trials.v[i];

        t->answered = is_answer(g, t);
        t->error &= !t->answered;
        t->blind = t->error && !t->watched &&
                   mh_outcomes_lacking(&g->m->processes.v[mh_grading_unit(g, t->unit)->process]);
        /* what catches it between one address and the next is no library's walk, but a choice */
        if (t->chosen && t->caught && t->handler.kind == MH_FRAME_app) {
            t->walked = false;
            t->moved = true;
        }
        mh_outcome_decide(g, t);
    }
    if (!r)
        r = mh_blame(g);
    for (size_t i = 0; i < g->trials.n && !r; i++)
        r = case_count(g, &g->trials.v[i], mh_grading_unit(g, g->trials.v[i].unit)->route);
    mh_map_done(&k.keys);
    mh_map_done(&k.hurt);
    mh_map_done(&k.struck);
    mh_shares_done(&k.shares);
    return r;
}
