/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of an alert, made from the graded document; see alert.h and alert.def. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "alert.h"
#include "base/buf.h"
#include "base/macros.h"
#include "cmd.h"
#include "report/doc.h"

#include "base/banned.h"

enum { LONGEST = 15000, FINDINGS = 5 };

struct source {
    const json_t *document;
    int status;
};

static bool ill(const struct source *s)
{
    const char *grade = mh_doc_text(json_object_get(s->document, "score"), "grade");

    return s->status || !strcmp(grade, "D") || !strcmp(grade, "E") || !strcmp(grade, "F");
}

static void put_mark(const struct source *s, struct mh_buf *b)
{
    mh_buf_add(b, s->status == MH_EXIT_UNJUDGED ? "\u2754" : ill(s) ? "\u274c" : "\u2705");
}

/* Arguments may hold what nobody is to see: the program's name, or its script's or module's. */
static void put_command(const struct source *s, struct mh_buf *b)
{
    const json_t *words = json_object_get(json_object_get(s->document, "run"), "command");
    const char *first = json_string_value(json_array_get(words, 0)), *slash;

    if (!first)
        first = mh_doc_text(json_object_get(s->document, "run"), "id");
    slash = strrchr(first, '/');
    mh_buf_add(b, slash ? slash + 1 : first);
    for (size_t i = 1; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));

        if (word && *word != '-') {
            slash = strrchr(word, '/');
            mh_buf_add_char(b, ' ');
            mh_buf_add(b, slash ? slash + 1 : word);
            return;
        }
        if (word && strcmp(word, "-m") != 0)
            return;
    }
}

static void put_grade(const struct source *s, struct mh_buf *b)
{
    mh_buf_add(b, mh_doc_text(json_object_get(s->document, "score"), "grade"));
}

static void put_points(const struct source *s, struct mh_buf *b)
{
    const json_t *score = json_object_get(s->document, "score");

    if (mh_doc_known(score, "points"))
        mh_buf_add_int(b, mh_doc_rounded(score, "points", 1));
    else
        mh_buf_add_char(b, '-');
}

static void put_evidence(const struct source *s, struct mh_buf *b)
{
    mh_buf_add_int(b, mh_doc_rounded(json_object_get(s->document, "score"), "evidence", 100));
}

static void put_fired(const struct source *s, struct mh_buf *b)
{
    mh_buf_add_int(b, mh_doc_int(json_object_get(s->document, "run"), "fired"));
}

static void put_run(const struct source *s, struct mh_buf *b)
{
    mh_buf_add(b, mh_doc_text(json_object_get(s->document, "run"), "id"));
}

static void put_seed(const struct source *s, struct mh_buf *b)
{
    mh_buf_add_int(b, mh_doc_int(json_object_get(s->document, "run"), "seed"));
}

static void put_host(const struct source *s, struct mh_buf *b)
{
    struct utsname host = {.nodename = "?"};

    (void)s;
    uname(&host);
    mh_buf_add(b, host.nodename);
}

static void put_gate(const struct source *s, struct mh_buf *b)
{
    static const struct {
        int status;
        const char *says;
    } rows[] = {{MH_EXIT_OK, "The gate is green."},
                {MH_EXIT_GATE, "The gate failed."},
                {MH_EXIT_UNJUDGED, "The gate cannot judge."},
                {MH_EXIT_UNHEALTHY, "It was unhealthy with no fault at work."}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].status == s->status)
            mh_buf_add(b, rows[i].says);
}

static void put_outcomes(const struct source *s, struct mh_buf *b)
{
    const json_t *outcomes = json_object_get(s->document, "outcomes");
    bool any = false;

    for (size_t i = 0; mh_outcome_names[i]; i++) {
        long long n = mh_doc_int(json_object_get(outcomes, mh_outcome_names[i]), "count");

        if (!n)
            continue;
        mh_buf_add(b, any ? ", " : "");
        mh_buf_add_int(b, n);
        mh_buf_add_char(b, ' ');
        mh_buf_add(b, mh_outcome_names[i]);
        any = true;
    }
    if (!any)
        mh_buf_add(b, "none that could be told");
}

static void put_findings(const struct source *s, struct mh_buf *b)
{
    const json_t *findings = json_object_get(s->document, "findings"), *site;
    size_t n = json_array_size(findings);
    char line[500];

    for (size_t i = 0; i < n && i < FINDINGS; i++) {
        const json_t *f = json_array_get(findings, i);

        site = json_object_get(f, "site");
        snprintf(line, sizeof(line), "%s[%s] %s %s: %s %s", i ? "\n" : "",
                 mh_doc_text(f, "severity"), mh_doc_text(f, "rule"), mh_doc_text(f, "title"),
                 mh_doc_text(site, "function"), mh_doc_text(f, "peer"));
        mh_buf_add(b, line);
    }
    if (n > FINDINGS)
        mh_buf_add(b, "\nand more");
    if (!n)
        mh_buf_add(b, "No findings.");
}

/* P1 is for what wakes people: nothing that a test finds does, but a critical finding comes next.
 */
static void put_priority(const struct source *s, struct mh_buf *b)
{
    const json_t *findings = json_object_get(s->document, "findings");
    int worst = 5;

    for (int i = 0; mh_severity_names[i]; i++)
        if (mh_doc_count(findings, "severity", mh_severity_names[i]))
            worst = MH_MIN(worst, i + 2);
    mh_buf_add_char(b, 'P');
    mh_buf_add_int(b, worst);
}

static const struct {
    const char *name;
    void (*put)(const struct source *s, struct mh_buf *b);
} words[] = {{"mark", put_mark},        {"command", put_command},   {"grade", put_grade},
             {"points", put_points},    {"evidence", put_evidence}, {"fired", put_fired},
             {"run", put_run},          {"seed", put_seed},         {"host", put_host},
             {"gate", put_gate},        {"outcomes", put_outcomes}, {"findings", put_findings},
             {"priority", put_priority}};

static void put_escaped(struct mh_buf *b, const char *text)
{
    for (; *text; text++)
        if (*text == '&')
            mh_buf_add(b, "&amp;");
        else if (*text == '<' || *text == '>')
            mh_buf_add(b, *text == '<' ? "&lt;" : "&gt;");
        else
            mh_buf_add_char(b, *text);
}

/* No longer than `most` characters, and never in the middle of one. */
static void cut(char *text, size_t most)
{
    for (size_t n = 0; *text; text++)
        if (((unsigned char)*text & 0xc0) != 0x80 && n++ == most) {
            *text = '\0';
            return;
        }
}

static json_t *filled(const struct mh_alert_row *row, const struct source *s, const char *text)
{
    char to[LONGEST + 4], value[LONGEST];
    struct mh_buf b = {to, sizeof(to), 0, false};
    size_t most = LONGEST;
    json_t *made;

    if (*text == '<') {
        for (most = 0, text++; *text && *text != '>'; text++)
            most = 10 * most + (size_t)(*text - '0');
        text += *text == '>';
    }
    to[0] = '\0';
    for (; *text; text++) {
        size_t n = strcspn(text, "}"), i = 0;
        struct mh_buf v = {value, sizeof(value), 0, false};

        while (*text == '{' && i < ARRAY_SIZE(words) &&
               (strlen(words[i].name) != n - 1 || strncmp(words[i].name, text + 1, n - 1) != 0))
            i++;
        if (*text != '{' || i == ARRAY_SIZE(words)) {
            mh_buf_add_char(&b, *text);
            continue;
        }
        value[0] = '\0';
        words[i].put(s, &v);
        if (row->escaped)
            put_escaped(&b, value);
        else
            mh_buf_add(&b, value);
        text += n;
    }
    cut(to, most);
    made = json_string(to);
    return made ? made : json_string("?"); /* what was cut in a character, or was none */
}

/* A copy of the template with its texts filled. */
static json_t *fill(const struct mh_alert_row *row, const struct source *s, const json_t *from)
{
    json_t *to;
    const char *key;
    json_t *one;
    size_t i;

    if (json_is_string(from))
        return filled(row, s, json_string_value(from));
    to = json_is_array(from) ? json_array() : json_object();
    json_array_foreach(from, i, one) json_array_append_new(to, fill(row, s, one));
    json_object_foreach((json_t *)(uintptr_t)from, key, one)
        json_object_set_new(to, key, fill(row, s, one));
    return to;
}

char *mh_alert_body(const struct mh_alert_row *row, const json_t *document, int status)
{
    const struct source s = {document, status};
    json_t *template = json_loads(row->body, 0, NULL),
           *body = template ? fill(row, &s, template) : NULL;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(template);
    json_decref(body);
    return text;
}
