/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogues of translations, and looking things up in them; see lang.h. lang_match.c knows a
 * sentence by its format. */
#include "report/lang.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/lang_match.h"
#include "report/out.h"

#include "base/banned.h"

enum {
    DEPTH = 3,           /* of sentences within sentences */
    LONGEST = 1500,      /* bytes: none of ours is longer */
    STEPS = 1000 * 1000, /* for one text: ours need a tenth at most; others are made to cost */
    WEAK = 4             /* letters */
};

struct mh_lang {
    json_t *file;
    json_t *frames;    /* what formats say: page and report */
    json_t *sentences; /* what is in the document: the rest */
};

/* ---- the file ---- */

static const char section_page[] = "page", section_report[] = "report";
static const char *const sentence_sections[] = {"rules", "sentences", "advice"};

static int check_section(const char *path, const json_t *section, bool exact,
                         void (*complain)(const char *path, const char *message))
{
    char message[160];
    const char *key;
    json_t *value;
    int r = 0;

    json_object_foreach((json_t *)(uintptr_t)section, key, value)
    {
        const char *text = json_string_value(value);

        if (text && mh_lang_same_holes(key, text, exact))
            continue;
        snprintf(message, sizeof(message), "what stands for \"%.60s\" %s", key,
                 text ? "has other places for values" : "is no text");
        complain(path, message);
        r = -EINVAL;
    }
    return r;
}

/* Sections that it does not have are empty ones. */
static int add_section(const char *path, const json_t *file, const char *name, bool exact,
                       json_t *into, void (*complain)(const char *path, const char *message))
{
    const json_t *section = json_object_get(file, name);
    int r = check_section(path, section, exact, complain);

    if (!r && section && json_object_update(into, (json_t *)(uintptr_t)section) < 0)
        r = -ENOMEM;
    return r;
}

static int take(const char *path, struct mh_lang *lang,
                void (*complain)(const char *path, const char *message))
{
    int r;

    if (!*mh_lang_tag(lang)) {
        complain(path, "is no catalogue: it has no language with a tag");
        return -EINVAL;
    }
    r = add_section(path, lang->file, section_page, true, lang->frames, complain);
    if (!r)
        r = add_section(path, lang->file, section_report, true, lang->frames, complain);
    for (size_t i = 0; i < ARRAY_SIZE(sentence_sections) && !r; i++)
        r = add_section(path, lang->file, sentence_sections[i], false, lang->sentences, complain);
    return r;
}

int mh_lang_load(const char *path, void (*complain)(const char *path, const char *message),
                 struct mh_lang **ret)
{
    struct mh_lang *lang = calloc(1, sizeof(*lang));
    json_error_t error;
    int r = -ENOMEM;

    if (!lang)
        return r;
    errno = 0;
    lang->file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    lang->frames = json_object();
    lang->sentences = json_object();
    if (!lang->file && json_error_code(&error) == json_error_cannot_open_file) {
        r = errno ? -errno : -EIO;
    } else if (!lang->file) {
        char message[JSON_ERROR_TEXT_LENGTH + 32];

        snprintf(message, sizeof(message), "line %d: %s", error.line, error.text);
        complain(path, message);
        r = -EINVAL;
    } else if (lang->frames && lang->sentences) {
        r = take(path, lang, complain);
    }
    if (r < 0)
        lang = mh_lang_free(lang);
    else
        *ret = lang;
    return r;
}

struct mh_lang *mh_lang_free(struct mh_lang *lang)
{
    if (lang) {
        json_decref(lang->frames);
        json_decref(lang->sentences);
        json_decref(lang->file);
        free(lang);
    }
    return NULL;
}

const char *mh_lang_tag(const struct mh_lang *lang)
{
    const char *tag;

    if (!lang)
        return "en";
    tag = json_string_value(json_object_get(json_object_get(lang->file, "language"), "tag"));
    return tag ? tag : "";
}

const json_t *mh_lang_page(const struct mh_lang *lang)
{
    return lang ? json_object_get(lang->file, section_page) : NULL;
}

const char *mh_lang_text(const struct mh_lang *lang, const char *english)
{
    const char *text = lang ? json_string_value(json_object_get(lang->frames, english)) : NULL;

    return text ? text : english;
}

/* ---- sentences ---- */

/* One text on its way. */
struct said {
    const struct mh_lang *lang;
    int steps; /* that are left for it */
};

static void put_sentence(struct said *said, const char *text, struct mh_out *out, int depth);
static bool put_whole(struct said *said, const char *text, struct mh_out *out, int depth);

/* What stood in a hole may be a part of a sentence that has a translation, too. */
static void put_filled(struct said *said, const char *translation,
                       const struct mh_lang_match *match, struct mh_out *out, int depth)
{
    const struct mh_lang_span *span;
    size_t n;

    for (int next = 0; *translation; translation += n) {
        span = mh_lang_hole(match, translation, &next, &n);
        if (span) {
            char *value = strndup(span->text, span->n);

            if (value)
                put_sentence(said, value, out, depth - 1);
            else
                out->error = -ENOMEM;
            free(value);
        } else {
            mh_out_add_n(out, translation, 1);
        }
    }
}

/* A key with hardly a word of its own ("%u of %u %s") fits sentences of others, too: it counts when
 * its last value is a number, or known itself. */
static bool is_sure(struct said *said, const struct mh_lang_match *match, int depth)
{
    const struct mh_lang_span none = {"", 0},
                              *last = match->n ? &match->spans[match->n - 1] : &none;
    struct mh_out out = {.error = 0};
    char *value = strndup(last->text, last->n);
    bool sure = value && *value &&
                (strspn(value, "0123456789.") == last->n ||
                 (depth > 1 && put_whole(said, value, &out, depth - 1)));

    free(value);
    mh_out_done(&out);
    return sure;
}

/* One sentence, or a part of one, as a whole. */
static bool put_whole(struct said *said, const char *text, struct mh_out *out, int depth)
{
    const char *found = json_string_value(json_object_get(said->lang->sentences, text)), *key;
    struct mh_lang_match match, best = {.weight = 0};
    json_t *value;

    if (depth <= 0 || said->steps <= 0)
        return false;
    if (found && !mh_lang_has_holes(text)) {
        mh_out_add(out, found);
        return true;
    }
    found = NULL;
    json_object_foreach(said->lang->sentences, key, value)
    {
        if (mh_lang_match(key, text, &match, &said->steps) && match.weight > best.weight) {
            best = match;
            found = json_string_value(value);
        }
    }
    if (!found || (best.literal < WEAK && !is_sure(said, &best, depth)))
        return false;
    put_filled(said, found, &best, out, depth);
    return true;
}

/* May a sentence, or a part of one that was added to it, begin there? */
static bool is_seam(const char *text, size_t at)
{
    return (text[at] == ' ' && strchr(".;", text[at - 1])) ||
           (strchr(",;:", text[at]) && text[at + 1] == ' ');
}

/* Puts the longest front that is known, and says how long it is; 0: none is. */
static size_t put_front(struct said *said, const char *text, struct mh_out *out, int depth)
{
    for (size_t at = strlen(text) - 1; at > 0 && depth > 0 && said->steps > 0; at--) {
        char *front = is_seam(text, at) ? strndup(text, at) : NULL;
        bool known = front && put_whole(said, front, out, depth);

        free(front);
        if (known)
            return at;
    }
    return 0;
}

/* What is not known stays as it is, up to where something else may begin. */
static void put_sentence(struct said *said, const char *text, struct mh_out *out, int depth)
{
    if (strlen(text) > LONGEST)
        depth = 0;
    while (*text && !put_whole(said, text, out, depth)) {
        size_t n = put_front(said, text, out, depth), blank;

        if (depth <= 0 || said->steps <= 0) {
            mh_out_add(out, text + n);
            return;
        }

        text += n;
        blank = strspn(text, ",;: ");
        if (!n && !blank)
            while (text[blank] && (!blank || !is_seam(text, blank)))
                blank++;
        else if (n && *text != ' ')
            blank = 0; /* what follows may begin with it */
        mh_out_add_n(out, text, blank);
        text += blank;
    }
}

char *mh_lang_sentence(const struct mh_lang *lang, const char *english)
{
    struct said said = {.lang = lang, .steps = STEPS};
    struct mh_out out = {.error = 0};

    if (lang)
        put_sentence(&said, english, &out, DEPTH);
    else
        mh_out_add(&out, english);
    mh_out_add(&out, ""); /* an empty one has its end, too */
    if (out.error)
        mh_out_done(&out);
    return out.data;
}

/* ---- the document ---- */

static bool is_one_of(const char *key, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(key, *list))
            return true;
    return false;
}

/* Fields with sentences of ours; and lists whose names are ours. Names of others never. */
static bool is_prose(const char *key, const char *above)
{
    static const char *const prose[] = {"title",
                                        "reason",
                                        "how",
                                        "flip",
                                        "note",
                                        "text",
                                        "example",
                                        "evidence",
                                        "handler",
                                        "cut",
                                        "counter_evidence",
                                        "blind_spots",
                                        NULL};
    static const char *const named[] = {"principles", "tiers", NULL};

    return is_one_of(key, prose) || (!strcmp(key, "name") && is_one_of(above, named));
}

static json_t *translated(const struct mh_lang *lang, const json_t *value, const char *key,
                          const char *above);

static json_t *translated_list(const struct mh_lang *lang, const json_t *list, const char *key)
{
    json_t *copy = json_array();
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (json_array_append_new(copy, translated(lang, one, key, key)) < 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

static json_t *translated_object(const struct mh_lang *lang, const json_t *object,
                                 const char *above)
{
    json_t *copy = json_object(), *value;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        /* a waiver's reason is its owner's */
        json_t *own =
            !strcmp(key, "waiver") ? json_incref(value) : translated(lang, value, key, above);

        if (json_object_set_new(copy, key, own) < 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

/* A new reference, or NULL without memory. `above`: the name of what the object stands in. */
static json_t *translated(const struct mh_lang *lang, const json_t *value, const char *key,
                          const char *above)
{
    _cleanup_free_ char *text = NULL;

    if (json_is_object(value))
        return translated_object(lang, value, key);
    if (json_is_array(value))
        return translated_list(lang, value, key);
    if (!json_is_string(value) || !is_prose(key, above))
        return json_incref((json_t *)(uintptr_t)value);
    text = mh_lang_sentence(lang, json_string_value(value));
    return text ? json_string(text) : NULL;
}

json_t *mh_lang_document(const struct mh_lang *lang, const json_t *document)
{
    return translated(lang, document, "", "");
}
