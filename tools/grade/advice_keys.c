/* SPDX-License-Identifier: Apache-2.0 */
/* Sections and keys of a file of advice, and what is wrong with them. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "grade/advice_read.h"
#include "grade/grade.h"

#include "base/banned.h"

static const char *const roles[] = {"client", "framework", "server", "tool", "stdlib"};

static const struct key {
    const char *name;
    bool library, lines, fills; /* of [library]; keeps its lines; may have placeholders */
    int at;
} keys[] = {
    {"name", true, false, false, MH_ADVICE_name},
    {"package", true, false, false, MH_ADVICE_package},
    {"modules", true, false, false, MH_ADVICE_modules},
    {"versions", true, false, false, MH_ADVICE_versions},
    {"role", true, false, false, MH_ADVICE_role},
    {"error", true, false, false, MH_ADVICE_error},
    {"above", true, false, false, MH_ADVICE_above},
    {"status", true, false, false, MH_ADVICE_status},
    {"note", true, false, false, MH_ADVICE_about},
    {"say", false, false, true, MH_ADVICE_say},
    {"code", false, true, true, MH_ADVICE_code},
    {"docs", false, false, false, MH_ADVICE_docs},
    {"note", false, false, true, MH_ADVICE_note},
};

void mh_advice_mistake(struct mh_advice_reader *r, int line, const char *format, ...)
{
    char message[400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    r->mistakes++;
    r->complain(r->context, r->file, line, message);
}

void mh_advice_section(struct mh_advice_reader *r, const char *name)
{
    const struct mh_rule_row *rule = mh_rule_find(name);
    const struct mh_advice_row *have;

    r->row = NULL;
    r->now = NULL;
    r->skip = true;
    r->section_line = r->line;
    if (!strcmp(name, "library")) {
        if (r->headed)
            mh_advice_mistake(r, r->line, "[library] is there twice");
        r->skip = r->headed;
        r->headed = true;
        return;
    }
    have = rule ? mh_advice_row(r->library, rule->id) : NULL;
    if (!rule || strcmp(rule->id, name) != 0)
        mh_advice_mistake(r, r->line,
                          "[%.60s]: sections are [library] and [MH-nnnn], with an id that "
                          "`mishap list rules` shows",
                          name);
    else if (!r->headed)
        mh_advice_mistake(r, r->line, "[%s] is before [library]", name);
    else if (have)
        mh_advice_mistake(r, r->line, "[%s] is there twice; first in line %d", name, have->line);
    else {
        r->row = mh_vec_add(&r->library->rows);
        if (!r->row) {
            r->failed = -ENOMEM;
            return;
        }
        memcpy(r->row->rule, rule->id, sizeof(r->row->rule));
        r->row->line = r->line;
        r->skip = false;
    }
}

void mh_advice_section_end(struct mh_advice_reader *r)
{
    if (r->row && !r->skip && !r->row->text[MH_ADVICE_say] && !r->row->text[MH_ADVICE_code])
        mh_advice_mistake(r, r->section_line, "[%s] has neither 'say' nor 'code'", r->row->rule);
    r->now = NULL;
    r->row = NULL;
}

static bool is_name(const char *text, size_t n)
{
    return n &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") >= n;
}

/* "redis redis.asyncio", or "*". */
static void check_modules(struct mh_advice_reader *r)
{
    const char *text = r->library->text[MH_ADVICE_modules];

    r->library->always = !strcmp(text, "*");
    for (const char *p = text; *p && !r->library->always; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        if (!is_name(p, n))
            mh_advice_mistake(r, r->line,
                              "modules: '%.*s' is no module: a name such as redis or "
                              "redis.asyncio, or * alone",
                              (int)n, p);
        p += n;
    }
}

/* ">=4.2 <8" */
static void check_versions(struct mh_advice_reader *r)
{
    struct mh_advice_library *l = r->library;
    const char *p = l->text[MH_ADVICE_versions];

    while (*p) {
        bool from = !strncmp(p, ">=", 2);
        struct mh_version *to = from ? &l->from : &l->below;

        if ((!from && *p != '<') || to->known || !mh_version_parse(p + (from ? 2 : 1), to)) {
            mh_advice_mistake(r, r->line,
                              "versions = %.60s: '>=VERSION', '<VERSION' or both, as in '>=4.2 <8'",
                              l->text[MH_ADVICE_versions]);
            return;
        }
        p += strcspn(p, " ");
        p += strspn(p, " ");
    }
}

static void check_role(struct mh_advice_reader *r)
{
    const char *text = r->library->text[MH_ADVICE_role];

    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        if (!strcmp(text, roles[i])) {
            r->library->role = (enum mh_advice_role)i;
            return;
        }
    mh_advice_mistake(r, r->line, "role = %.60s: client, framework, server, tool or stdlib", text);
}

/* "maintained 2.34.2 2026-05": what it is, and the last release that was looked at. */
static void check_status(struct mh_advice_reader *r)
{
    static const char *const words[] = {"maintained", "quiet", "dead"};
    const char *text = r->library->text[MH_ADVICE_status], *p = strchr(text, ' ');
    struct mh_version version;
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        known |= p && !strncmp(text, words[i], (size_t)(p - text));
    if (known && mh_version_parse(p + 1, &version) && (p = strchr(p + 1, ' ')) &&
        strlen(p + 1) == 7 && strspn(p + 1, "0123456789") == 4 && p[5] == '-' &&
        strspn(p + 6, "0123456789") == 2)
        return;
    mh_advice_mistake(r, r->line,
                      "status = %.60s: maintained, quiet or dead, then the last release and its "
                      "month: maintained 2.34.2 2026-05",
                      text);
}

static void check_placeholders(struct mh_advice_reader *r, const char *text)
{
    for (; *text; text++) {
        enum mh_placeholder which;
        size_t n = mh_placeholder_at(text, &which);

        if (n && which == MH_PLACEHOLDERS)
            mh_advice_mistake(r, r->line,
                              "unknown placeholder %.*s; the README of config/advice has them all; "
                              "in Python's own braces write { %.*s }",
                              (int)n, text, (int)n - 2, text + 1);
    }
}

static void check_value(struct mh_advice_reader *r, const struct key *k, const char *value)
{
    if (k->fills)
        check_placeholders(r, value);
    if (!k->library && k->at == MH_ADVICE_docs && strncmp(value, "https://", 8) != 0)
        mh_advice_mistake(r, r->line, "docs = %.60s: an address that begins with https://", value);
    if (!k->library)
        return;
    switch (k->at) {
    case MH_ADVICE_modules:
        check_modules(r);
        break;
    case MH_ADVICE_versions:
        check_versions(r);
        break;
    case MH_ADVICE_role:
        check_role(r);
        break;
    case MH_ADVICE_status:
        check_status(r);
        break;
    }
}

static void unknown_key(struct mh_advice_reader *r, const char *name)
{
    const char *best = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].library == !r->row && mh_near_distance(name, keys[i].name) <= 2)
            best = keys[i].name;
    if (best)
        mh_advice_mistake(r, r->line, "there is no key '%.60s' (did you mean '%s'?)", name, best);
    else
        mh_advice_mistake(r, r->line, "there is no key '%.60s'; allowed: %s", name,
                          r->row ? "say, code, docs, note"
                                 : "name, package, modules, versions, role, error, above, status, "
                                   "note");
}

void mh_advice_take(struct mh_advice_reader *r, const char *name, const char *value)
{
    const struct key *k = NULL;
    char **into;

    if (r->skip)
        return;
    if (!r->headed) {
        mh_advice_mistake(r, r->line, "'%.60s' is before [library]", name);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys) && !k; i++)
        if (keys[i].library == !r->row && !strcmp(keys[i].name, name))
            k = &keys[i];
    if (!k) {
        unknown_key(r, name);
        return;
    }
    into = r->row ? &r->row->text[k->at] : &r->library->text[k->at];
    if (*into) {
        mh_advice_mistake(r, r->line, "%s is there twice", name);
        return;
    }
    *into = strdup(value);
    r->now = k->lines || k->at == (r->row ? (int)MH_ADVICE_note : (int)MH_ADVICE_about) ||
                     (r->row && k->at == MH_ADVICE_say)
                 ? into
                 : NULL;
    r->lines = k->lines;
    if (!*into)
        r->failed = -ENOMEM;
    else if (*value)
        check_value(r, k, value);
    else if (!r->now)
        mh_advice_mistake(r, r->line, "%s is empty", name);
}

void mh_advice_go_on(struct mh_advice_reader *r, const char *value)
{
    char *longer;

    if (r->skip || !r->now)
        return;
    if (asprintf(&longer, "%s%s%s", *r->now, !**r->now ? "" : r->lines ? "\n" : " ", value) < 0) {
        r->failed = -ENOMEM;
        return;
    }
    free(*r->now);
    *r->now = longer;
    if (r->row)
        check_placeholders(r, value);
}

void mh_advice_library_end(struct mh_advice_reader *r)
{
    static const enum mh_advice_key needed[] = {MH_ADVICE_name, MH_ADVICE_modules, MH_ADVICE_role};

    if (r->mistakes > r->before || r->failed)
        return;
    if (!r->headed)
        mh_advice_mistake(r, 0, "there is no [library] in it");
    for (size_t i = 0; r->headed && i < ARRAY_SIZE(needed); i++)
        if (!r->library->text[needed[i]])
            mh_advice_mistake(r, 0, "[library] has no '%s'", keys[needed[i]].name);
    if (r->headed && !r->library->rows.n)
        mh_advice_mistake(r, 0, "it has no advice: no section [MH-nnnn]");
}

const struct mh_advice_row *mh_advice_row(const struct mh_advice_library *library, const char *rule)
{
    for (size_t i = 0; i < library->rows.n; i++)
        if (!strcmp(library->rows.v[i].rule, rule))
            return &library->rows.v[i];
    return NULL;
}
