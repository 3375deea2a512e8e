/* SPDX-License-Identifier: Apache-2.0 */
/* The table of formats, and how a report is written. */
#include "report/report.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "log.h"
#include "report/utf8.h"

#include "base/banned.h"

static const struct mh_format formats[] = {
#define FORMAT(name, suffixes, doc, prose) {#name, suffixes, doc, prose, mh_format_##name},
#include "report/formats.def"
#undef FORMAT
};

const struct mh_format *mh_format_at(size_t i)
{
    return i < ARRAY_SIZE(formats) ? &formats[i] : NULL;
}

const struct mh_format *mh_format_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

static bool has_suffix(const struct mh_format *format, const char *suffix)
{
    const char *word = format->suffixes;
    size_t n = strlen(suffix);

    for (; *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");

        if (length == n && !strncasecmp(word, suffix, n))
            return true;
        word += length;
    }
    return false;
}

const struct mh_format *mh_format_of_path(const char *path)
{
    const char *base = strrchr(path, '/');
    const char *suffix = strrchr(base ? base : path, '.');

    for (size_t i = 0; suffix && i < ARRAY_SIZE(formats); i++)
        if (has_suffix(&formats[i], suffix))
            return &formats[i];
    return NULL;
}

/* Asks for the user's character set without changing the locale of the process. */
static bool is_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool utf8 = locale && !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");

    if (locale)
        freelocale(locale);
    return utf8;
}

struct mh_report_options mh_report_options_for(FILE *stream)
{
    struct mh_report_options options = {.width = 80};

    if (!stream)
        return options;
    options.width = MH_MIN(mh_log_width(stream), 80);
    options.colour = mh_log_colour(stream);
    options.ascii = !is_utf8();
    return options;
}

int mh_report_write(const json_t *document, const struct mh_format *format, const char *path,
                    const struct mh_report_options *options)
{
    struct mh_report_options mine = *options;
    struct mh_utf8_locale locale = mh_utf8_enter();
    const struct mh_lang *lang = format->prose ? options->lang : NULL;
    json_t *translated = lang ? mh_lang_document(lang, document) : NULL;
    struct mh_out out = {.lang = lang, .error = lang && !translated ? -ENOMEM : 0};
    int r;

    if (mine.width < 40)
        mine.width = 80;
    r = format->write(translated ? translated : document, &mine, &out);
    if (r >= 0)
        r = mh_out_save(&out, path);
    mh_out_done(&out);
    json_decref(translated);
    mh_utf8_leave(locale);
    return r;
}
