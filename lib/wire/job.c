/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a worker pool; see job.h. A pickle is read as a row of tokens, as far as its first
 * few matter: (TASK, (job, i, function, (name, id, ...)...)) and
 * (READY, (job, i, (went, (failed, result, seconds)), fd)). */
#include "wire/job.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

enum { READY = 1, TASK = 2, MOST = 64 };

enum kind { END, NUMBER, NONE, TRUE, FALSE, TEXT };

struct token {
    enum kind kind;
    uint32_t number;
    const unsigned char *text;
    size_t n;
};

struct cursor {
    const unsigned char *p, *end, *name; /* name: second line of a class given in two lines */
};

static uint32_t little(const unsigned char *p, unsigned n)
{
    uint32_t v = 0;

    while (n--)
        v = v << 8 | p[n];
    return v;
}

/* Bytes of the operand of an opcode that says nothing to us; -1: not known. */
static int passed(unsigned char op)
{
    static const struct {
        const char *ops;
        int n;
    } rows[] = {
        {"\x94\x81\x93\x85\x86\x87()}]tuseabR0", 0}, {"\x80qh\x82", 1}, {"rj", 4}, {"G\x95", 8}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if (strchr(rows[i].ops, op))
            return rows[i].n;
    return -1;
}

static bool line(struct cursor *c, struct token *t)
{
    const unsigned char *stop = memchr(c->p, '\n', (size_t)(c->end - c->p));

    if (!stop)
        return false;
    *t = (struct token){TEXT, 0, c->p, (size_t)(stop - c->p)};
    c->p = stop + 1;
    return true;
}

/* A text (or bytes) whose length takes `size` bytes. */
static bool text(struct cursor *c, unsigned size, struct token *t)
{
    uint32_t n;

    if ((size_t)(c->end - c->p) < size)
        return false;
    n = little(c->p, size);
    c->p += size;
    if ((size_t)(c->end - c->p) < n)
        return false;
    *t = (struct token){TEXT, 0, c->p, n};
    c->p += n;
    return true;
}

static bool number(struct cursor *c, unsigned size, struct token *t)
{
    if ((size_t)(c->end - c->p) < size)
        return false;
    *t = (struct token){.kind = NUMBER, .number = little(c->p, size)};
    c->p += size;
    return true;
}

/* The next token that says something. END also where the message is cut. */
static struct token next(struct cursor *c)
{
    struct token t = {.kind = END}, end = {.kind = END};

    if (c->name) {
        c->name = NULL;
        return line(c, &t) ? t : end;
    }
    while (c->p < c->end) {
        unsigned char op = *c->p++;
        int n;

        switch (op) {
        case 'K':
            return number(c, 1, &t) ? t : end;
        case 'M':
            return number(c, 2, &t) ? t : end;
        case 'J':
            return number(c, 4, &t) ? t : end;
        case 'N':
            return (struct token){.kind = NONE};
        case 0x88:
            return (struct token){.kind = TRUE};
        case 0x89:
            return (struct token){.kind = FALSE};
        case 0x8c:
        case 'C':
            return text(c, 1, &t) ? t : end;
        case 'X':
        case 'B':
            return text(c, 4, &t) ? t : end;
        case 'c': /* module and name, a line each */
            if (!line(c, &t))
                return end;
            c->name = c->p;
            return t;
        default:
            n = op ? passed(op) : -1;
            if (n < 0 || c->end - c->p < n)
                return end;
            c->p += n;
        }
    }
    return end;
}

static bool is(const struct token *t, const char *word)
{
    return t->kind == TEXT && t->n == strlen(word) && !memcmp(t->text, word, t->n);
}

/* Names and ids have no spaces and no controls: what has them is none. */
static bool keep(const struct token *t, char *to, size_t size)
{
    if (t->kind != TEXT || !t->n || t->n >= size)
        return false;
    for (size_t i = 0; i < t->n; i++)
        if (t->text[i] <= ' ' || t->text[i] == 0x7f)
            return false;
    memcpy(to, t->text, t->n);
    to[t->n] = 0;
    return true;
}

static void scan_task(struct cursor *c, struct mh_job *ret)
{
    struct token t = next(c);

    if (!is(&t, "celery.app.trace") || (t = next(c)).kind != TEXT)
        return;
    t = next(c);
    if (!keep(&t, ret->name, sizeof(ret->name)))
        return;
    t = next(c);
    if (keep(&t, ret->id, sizeof(ret->id)))
        ret->word = MH_JOB_begun;
}

/* The class is what follows the word "type" among what an ExceptionInfo holds. */
static void scan_exception(struct cursor *c, struct mh_job *ret)
{
    struct token t, module;

    for (int i = 0; i < MOST && (t = next(c)).kind != END; i++) {
        if (!is(&t, "type"))
            continue;
        module = next(c);
        t = next(c);
        if (module.kind != TEXT || !keep(&t, ret->exception, sizeof(ret->exception)))
            return;
        if (!is(&module, "celery.exceptions"))
            return;
        if (is(&t, "Retry"))
            ret->state = MH_TASK_retried;
        else if (is(&t, "Reject") || is(&t, "Ignore"))
            ret->state = MH_TASK_rejected;
        return;
    }
}

static void scan_ready(struct cursor *c, struct mh_job *ret)
{
    struct token went = next(c), failed;

    if (went.kind != TRUE && went.kind != FALSE)
        return;
    failed = went.kind == TRUE ? next(c) : (struct token){.kind = NUMBER, .number = 1};
    if (failed.kind != NUMBER || failed.number > 1)
        return;
    ret->word = MH_JOB_ended;
    ret->state = failed.number ? MH_TASK_failed : MH_TASK_succeeded;
    if (failed.number)
        scan_exception(c, ret);
}

void mh_job_scan(const void *bytes, size_t n, struct mh_job *ret)
{
    struct cursor c = {.p = bytes, .end = (const unsigned char *)bytes + n};
    struct token word, t;

    ret->word = MH_JOB_none;
    ret->state = MH_TASK_unknown;
    ret->name[0] = ret->id[0] = ret->exception[0] = 0;
    if (n > 5 && c.p[0] != 0x80)
        c.p += 4;
    if (n < 8 || c.p[0] != 0x80)
        return;
    word = next(&c);
    if (word.kind != NUMBER || (word.number != TASK && word.number != READY))
        return;
    t = next(&c);
    if (t.kind != NUMBER)
        return;
    t = next(&c);
    if (t.kind != NUMBER && t.kind != NONE)
        return;
    if (word.number == TASK)
        scan_task(&c, ret);
    else
        scan_ready(&c, ret);
}
