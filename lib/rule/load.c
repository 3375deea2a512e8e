/* SPDX-License-Identifier: Apache-2.0 */
/* Sections and keys of scenarios, and the way from files to rules; see load.h. Two passes: the
 * first finds the names of the faults, so that a phase may stand before the faults it lists. */
#include "rule/load.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"
#include "rule/loader.h"

#include "base/banned.h"

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static bool section_known(struct mh_loader *l, const char *word, const char *text,
                          enum mh_section *ret)
{
    struct mh_nearest near = {word, NULL, 0};
    MH_BUF(hint, 96);

    for (int i = MH_SECTION_run; i <= MH_SECTION_fault; i++) {
        mh_nearest_try(&near, mh_section_name((enum mh_section)i));
        if (!strcmp(word, mh_section_name((enum mh_section)i))) {
            *ret = (enum mh_section)i;
            return true;
        }
    }
    if (mh_nearest_say(&near, &hint, "; did you mean [%s]?",
                       "; allowed: [run], [phase NAME], [fault NAME]"))
        for (int i = MH_SECTION_run; i <= MH_SECTION_fault; i++)
            if (!strcmp(near.best, mh_section_name((enum mh_section)i)))
                *ret = (enum mh_section)i;
    if (l)
        mh_complain(l, l->line, "unknown section %q%s", text, hint.data);
    return false;
}

/* What is wrong with the name of a section; NULL when nothing is. */
static const char *name_fault(enum mh_section section, const char *name, size_t n)
{
    if (section == MH_SECTION_run)
        return n ? "[run] takes no name" : NULL;
    if (n == 0)
        return section == MH_SECTION_fault ? "it needs a name, as in [fault slow-redis]"
                                           : "it needs a name, as in [phase calm]";
    if (n > MH_LOAD_NAME)
        return "the name is too long; at most 43 characters";
    for (size_t i = 0; i < n; i++)
        if (!name_char(name[i]))
            return "a name has only letters, digits, '-', '_' and '.'";
    return NULL;
}

bool mh_head_parse(struct mh_loader *l, const char *text, struct mh_head *ret)
{
    const char *close = strchr(text, ']'), *p = text + 1, *why;
    char word[16] = "";
    size_t n;

    *ret = (struct mh_head){MH_SECTION_none};
    if (!close || close[1]) {
        if (l)
            mh_complain(l, l->line, close ? "%q: there is text after the ']'" : "%q has no ']'",
                        text);
        return false;
    }
    p += strspn(p, " \t");
    n = strcspn(p, " \t]");
    memcpy(word, p, MH_MIN(n, sizeof(word) - 1));
    if (!section_known(l, word, text, &ret->section))
        return false;
    p += n;
    p += strspn(p, " \t");
    n = (size_t)(close - p);
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    why = name_fault(ret->section, p, n);
    if (why) {
        if (l)
            mh_complain(l, l->line, "%q: %s", text, why);
        return false;
    }
    memcpy(ret->name, p, n);
    return true;
}

/* Values that hold when a key is absent, through the same parsers. */
static void take_defaults(struct mh_loader *l, enum mh_section section, void *into)
{
    for (unsigned i = 0; i < MH_KEY_COUNT; i++) {
        const struct mh_key_row *k = &mh_key_rows[i];
        struct mh_buf b = {l->value, sizeof(l->value), 0, false};

        if (k->section != section || !k->dflt[0] || mh_type_rows[k->type].list)
            continue;
        mh_buf_add(&b, k->dflt);
        mh_value_take(l, k, (char *)into + k->offset, l->value);
    }
}

static void begin_fault(struct mh_loader *l, const struct mh_head *head, bool sound)
{
    struct mh_fault *f = NULL;

    for (unsigned i = 0; sound && i < l->rules->nfaults; i++)
        if (!strcmp(l->rules->faults[i].name, head->name))
            f = &l->rules->faults[i];
    if (sound && !f)
        mh_complain(l, l->line, "%s: there are more than %u faults", l->title, MH_MAX_FAULTS);
    if (f && (f->file != l->file || f->line != l->line)) {
        mh_complain(l, l->line, "%s is defined twice; first in %s:%u", l->title,
                    l->rules->files[f->file], (unsigned)f->line);
        f = NULL;
    }
    if (!f) {
        f = &l->spare_fault;
        memset(f, 0, sizeof(*f));
    }
    f->key = mh_hash_text(MH_HASH_START, head->name);
    l->fault = f;
    l->tried = 0;
    l->ncalls = 0;
    take_defaults(l, MH_SECTION_fault, f);
}

static void begin_phase(struct mh_loader *l, const struct mh_head *head, bool sound)
{
    struct mh_rules *rules = l->rules;

    l->phase = &l->spare_phase;
    for (unsigned i = 0; sound && i < rules->nphases; i++)
        if (!strcmp(rules->phases[i].name, head->name)) {
            mh_complain(l, l->line, "%s is defined twice", l->title);
            sound = false;
        }
    if (sound && rules->nphases == MH_MAX_PHASES)
        mh_complain(l, l->line, "%s: there are more than %u phases", l->title, MH_MAX_PHASES);
    else if (sound)
        l->phase = &rules->phases[rules->nphases++];
    memset(l->phase, 0, sizeof(*l->phase));
    memcpy(l->phase->name, head->name, sizeof(head->name));
    l->phase->line = l->line;
    l->phase->file = (uint16_t)l->file;
    take_defaults(l, MH_SECTION_phase, l->phase);
}

void mh_load_section(struct mh_loader *l, const char *text)
{
    struct mh_head head;
    bool sound = mh_head_parse(l, text, &head);
    struct mh_buf title = {l->title, sizeof(l->title), 0, false};

    l->headed = true;
    l->section = head.section;
    l->section_line = l->line;
    l->has_key = false;
    l->key = NULL;
    mh_say(&title, head.name[0] ? "[%s %s]" : "[%s]", mh_section_name(head.section), head.name);
    if (head.section != MH_SECTION_run)
        for (unsigned i = 0; i < MH_KEY_COUNT; i++)
            if (mh_key_rows[i].section != MH_SECTION_run)
                l->key_line[i] = 0;
    if (head.section == MH_SECTION_fault) {
        begin_fault(l, &head, sound);
    } else if (head.section == MH_SECTION_phase) {
        begin_phase(l, &head, sound);
    } else if (head.section == MH_SECTION_run) {
        if (l->run_line)
            mh_complain(l, l->line, "[run] is there twice; first at line %u",
                        (unsigned)l->run_line);
        else
            l->run_line = l->line;
    }
}

/* A list key without any word, neither in its line nor in those after it, or one that ends with a
 * comma. */
static void check_empty(struct mh_loader *l)
{
    MH_BUF(allowed, 240);

    if (l->empty_line) {
        mh_key_allowed(l->key, &allowed);
        mh_complain(l, l->empty_line, "'%s' has no value; allowed: %s", l->key->name, allowed.data);
    } else if (l->comma_line) {
        mh_key_allowed(l->comma_key, &allowed);
        mh_complain(l, l->comma_line, "'%s' has nothing after its last comma; allowed: %s",
                    l->comma_key->name, allowed.data);
    }
    l->empty_line = l->comma_line = 0;
    l->comma_key = NULL;
}

void mh_load_skip(struct mh_loader *l)
{
    check_empty(l);
    l->key = NULL;
    l->has_key = true;
}

void mh_load_section_end(struct mh_loader *l)
{
    check_empty(l);
    if (l->section == MH_SECTION_fault) {
        mh_change_rest(l);
        check_empty(l);
        mh_check_fault(l);
    }
    /* a wrong `for` has been told: it shall not be missed as well */
    if (l->section == MH_SECTION_phase && l->key_line[MH_KEY_phase_for] && !l->phase->for_ns)
        l->phase->for_ns = 1;
    l->section = MH_SECTION_none;
}

/* This effect was asked for, if only wrongly: that there is none need not be told as well. */
static void tried(struct mh_loader *l, const struct mh_key_row *k)
{
    int effect = mh_key_effect(k);

    if (effect >= 0)
        l->tried |= MH_EFFECT_BIT(effect);
}

static void unknown_key(struct mh_loader *l, const char *name)
{
    struct mh_nearest near = {name, NULL, 0};
    MH_BUF(hint, 300);
    MH_BUF(keys, 300);

    for (unsigned i = 0; i < MH_KEY_COUNT; i++) {
        const struct mh_key_row *k = &mh_key_rows[i];

        if (k->section == l->section) {
            mh_nearest_try(&near, k->name);
            mh_say(&keys, keys.len ? ", %s" : "; allowed: %s", k->name);
        } else if (!strcmp(k->name, name)) {
            mh_complain(l, l->line, "unknown key %q in %s; it belongs to [%s]", name, l->title,
                        mh_section_name(k->section));
            return;
        }
    }
    if (mh_nearest_say(&near, &hint, "; did you mean '%s'?", keys.data))
        for (unsigned i = 0; i < MH_KEY_COUNT; i++)
            if (mh_key_rows[i].section == l->section && !strcmp(mh_key_rows[i].name, near.best))
                tried(l, &mh_key_rows[i]);
    mh_complain(l, l->line, "unknown key %q in %s%s", name, l->title, hint.data);
}

static void *section_struct(struct mh_loader *l)
{
    return l->section == MH_SECTION_run     ? (void *)l->rules
           : l->section == MH_SECTION_phase ? (void *)l->phase
                                            : (void *)l->fault;
}

static void take_value(struct mh_loader *l, const struct mh_key_row *k, const char *value)
{
    struct mh_buf b = {l->value, sizeof(l->value), 0, false};
    unsigned mistakes = l->mistakes->n;
    int effect = mh_key_effect(k);
    bool taken;

    mh_buf_add(&b, value);
    taken = (mh_type_rows[k->type].list != MH_LIST_commas || mh_word_commas(l, k, l->value)) &&
            mh_value_take(l, k, (char *)section_struct(l) + k->offset, l->value);
    if (taken && effect >= 0)
        l->fault->effects |= MH_EFFECT_BIT(effect);
    if (taken || l->mistakes->n > mistakes) /* neither: "hang = no" */
        tried(l, k);
}

/* Two files may agree on a number of [run], so that scenarios can be put together as they are. */
static bool agrees(struct mh_loader *l, const struct mh_key_row *k, const char *value)
{
    void *field = (char *)l->rules + k->offset;
    unsigned mistakes = l->mistakes->n;
    uint64_t first, second;

    if (mh_type_rows[k->type].list)
        return false;
    memcpy(&first, field, sizeof(first)); /* all of them are 64-bit numbers */
    take_value(l, k, value);
    memcpy(&second, field, sizeof(second));
    memcpy(field, &first, sizeof(first));
    return first == second || l->mistakes->n > mistakes;
}

static const struct mh_key_row *new_key(struct mh_loader *l, const char *name, const char *value)
{
    for (unsigned i = 0; i < MH_KEY_COUNT; i++) {
        const struct mh_key_row *k = &mh_key_rows[i];

        if (k->section != l->section || strcmp(k->name, name) != 0)
            continue;
        if (l->key_line[i] && k->section == MH_SECTION_run && l->key_file[i] != l->file) {
            if (!agrees(l, k, value))
                mh_complain(l, l->line, "'%s' is set twice; first in %s:%u", name,
                            l->rules->files[l->key_file[i]], (unsigned)l->key_line[i]);
        } else if (l->key_line[i]) {
            mh_complain(l, l->line, "'%s' is set twice in %s; first at line %u", name, l->title,
                        (unsigned)l->key_line[i]);
        }
        if (l->key_line[i])
            return NULL;
        l->key_line[i] = l->line;
        l->key_file[i] = l->file;
        return k;
    }
    unknown_key(l, name);
    return NULL;
}

int mh_load_key(void *loader, const char *section, const char *name, const char *value)
{
    struct mh_loader *l = loader;
    bool changed;

    if (l->continued) {
        l->empty_line = 0;
        if (mh_type_rows[l->key->type].list)
            take_value(l, l->key, value);
        else
            mh_complain(l, l->line,
                        "%q: only lists of words go on in an indented line, '%s' does not", value,
                        l->key->name);
        return 1;
    }
    check_empty(l);
    l->key = NULL;
    l->has_key = true;
    if (!l->headed)
        mh_complain(l, l->line,
                    "%q stands before the first section; begin with [run], [phase NAME] "
                    "or [fault NAME]",
                    name);
    if (l->section == MH_SECTION_none)
        return 1;
    if (!name[0]) {
        mh_complain(l, l->line, "there is no key before the '='");
        return 1;
    }
    l->key = new_key(l, name, value);
    if (!l->key)
        return 1;
    changed = mh_change_find(l, name);
    if (changed)
        value = l->changed;
    if (changed && mh_change_drops(value)) {
        l->key = NULL;
    } else if (value[0]) {
        take_value(l, l->key, value);
        if (changed) /* what goes on with the line in the file is not wanted */
            l->key = NULL;
    } else {
        l->empty_line = l->line;
        tried(l, l->key);
    }
    return 1;
}

/* Splits "a.ini:b.ini" into rules->files. */
static void take_paths(struct mh_loader *l, const char *paths)
{
    struct mh_rules *rules = l->rules;

    for (const char *p = paths ? paths : ""; *p;) {
        size_t n = strcspn(p, ":");
        unsigned i = 0;
        char *file;

        if (n == 0) {
            p++;
            continue;
        }
        if (rules->nfiles == MH_MAX_FILES) {
            mh_complain_in(l, 0, 0, "there are more than %u files", MH_MAX_FILES);
            return;
        }
        file = rules->files[rules->nfiles];
        memcpy(file, p, MH_MIN(n, (size_t)MH_PATH_SIZE - 1));
        file[MH_MIN(n, (size_t)MH_PATH_SIZE - 1)] = '\0';
        while (strcmp(rules->files[i], file) != 0)
            i++;
        if (i < rules->nfiles) {
            mh_complain_in(l, i, 0, "this file is named twice");
            p += n;
            continue;
        }
        rules->nfiles++;
        if (n >= MH_PATH_SIZE)
            mh_complain_in(l, rules->nfiles - 1, 0, "the path is too long; at most %u bytes",
                           MH_PATH_SIZE - 1);
        p += n;
    }
    if (rules->nfiles == 0)
        mh_complain_in(l, 0, 0, "no file is named");
}

int mh_rules_load(const char *paths, struct mh_rules *ret, struct mh_mistakes *mistakes)
{
    return mh_rules_load_changed(paths, NULL, ret, mistakes);
}

int mh_rules_load_changed(const char *paths, const char *changes, struct mh_rules *ret,
                          struct mh_mistakes *mistakes)
{
    struct mh_loader l;

    /* faults and phases are cleared one by one, as they come: most of a set is never touched */
    memset(ret, 0, offsetof(struct mh_rules, faults));
    memset(ret->by_op, 0, sizeof(ret->by_op));
    memset(ret->by_stack, 0, sizeof(ret->by_stack));
    memset(ret->by_caller, 0, sizeof(ret->by_caller));
    memset(ret->by_operation, 0, sizeof(ret->by_operation));
    ret->ops = 0;
    mistakes->n = 0;
    memset(&l, 0, sizeof(l));
    l.rules = ret;
    l.mistakes = mistakes;
    l.changes = changes;
    take_defaults(&l, MH_SECTION_run, ret);
    ret->seed_given = false;
    take_paths(&l, paths);
    for (unsigned i = 0; i < ret->nfiles; i++)
        l.unread |= !mh_source_read(&l, i, ret->files[i]);
    for (l.file = 0; l.file < ret->nfiles; l.file++)
        mh_source_scan(&l);
    for (l.file = 0; l.file < ret->nfiles; l.file++)
        if (l.sources[l.file].text)
            mh_source_parse(&l);
    mh_check_run(&l);
    for (unsigned i = 0; i < ret->nfiles; i++)
        mh_source_done(&l.sources[i]);
    if (mistakes->n == 0)
        return 0;
    ret->nfaults = ret->nphases = 0;
    return -EINVAL;
}
