/* SPDX-License-Identifier: Apache-2.0 */
/* Reports in another language than English. A language is a file of config/lang: English texts and
 * their translations. What it does not have stays English. The graded document is always English;
 * its sentences are known by the formats that made them, so that a stored one can be shown in any
 * language. */
#pragma once

#include <jansson.h>

#include "base/macros.h"

struct mh_lang;

/* Marks a text that is translated where it is shown. */
#define MH_TEXT(text) text

/* Reads a file. Says what is wrong by complain(path, message). Returns 0, -EINVAL after mistakes,
 * or another negative errno. */
int mh_lang_load(const char *path, void (*complain)(const char *path, const char *message),
                 struct mh_lang **ret);
struct mh_lang *mh_lang_free(struct mh_lang *lang);

/* The text in that language; itself where there is no translation, or no language (NULL). The
 * conversions of a translated format are those of the English one: mh_lang_load() sees to it. */
const char *mh_lang_text(const struct mh_lang *lang, const char *english)
    __attribute__((format_arg(2)));

/* "pt-BR"; "en" without a language. */
const char *mh_lang_tag(const struct mh_lang *lang);
/* The texts of the HTML page, an object; NULL without a language. Borrowed. */
const json_t *mh_lang_page(const struct mh_lang *lang);

/* A sentence of the document. Caller frees; NULL without memory. */
char *mh_lang_sentence(const struct mh_lang *lang, const char *english);
/* A copy of the document with its sentences, titles and fixes translated. Caller owns it; NULL
 * without memory. */
json_t *mh_lang_document(const struct mh_lang *lang, const json_t *document);
