/* SPDX-License-Identifier: Apache-2.0 */
/* One page that holds everything: the template (html/, put together when we are built) with the
 * document as JSON in its middle. The page's own script draws it. */
#include <errno.h>
#include <string.h>

#include "report/report.h"
#include "report/xml_out.h"

#include "html_page.h"

#include "base/banned.h"

/* Outside strings JSON has none of these characters, and within them an escape says the same: so no
 * text can end the element that holds the document. DEL is the one control that JSON lets pass. */
static int append(const char *bytes, size_t n, void *out)
{
    for (size_t from = 0; from < n;) {
        size_t plain = from;

        while (plain < n && !strchr("<>&\x7f", bytes[plain]))
            plain++;
        mh_out_add_n(out, bytes + from, plain - from);
        if (plain < n)
            mh_out_printf(out, "\\u%04x", (unsigned)bytes[plain]);
        from = plain + 1;
    }
    return 0;
}

static int put_json(struct mh_out *out, const json_t *json)
{
    size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12);

    return json_dump_callback(json, append, out, flags) < 0 ? -EINVAL : 0;
}

/* What belongs between two pieces of the page. */
static int put_between(struct mh_out *out, const char *what, const json_t *document)
{
    const json_t *texts = mh_lang_page(out->lang);

    if (!strcmp(what, "DOCUMENT"))
        return put_json(out, document);
    if (!strcmp(what, "TEXTS") && texts)
        return put_json(out, texts);
    if (!strcmp(what, "TEXTS"))
        mh_out_add(out, "{}");
    else if (!strcmp(what, "LANGUAGE"))
        mh_xml_text(out, mh_lang_tag(out->lang));
    else
        mh_xml_text(out, MH_TR(out, what));
    return 0;
}

int mh_format_html(const json_t *document, const struct mh_report_options *options,
                   struct mh_out *out)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(mh_html_pieces) && !r; i++) {
        if (i % 2)
            r = put_between(out, mh_html_pieces[i], document);
        else
            mh_out_add(out, mh_html_pieces[i]);
    }
    return r;
}
