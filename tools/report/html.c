/* SPDX-License-Identifier: Apache-2.0 */
/* One page that holds everything: the template (html/, put together when we are built) with the
 * document as JSON in its middle. The page's own script draws it. */
#include <errno.h>
#include <string.h>

#include "report/report.h"

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

int mh_format_html(const json_t *document, const struct mh_report_options *options,
                   struct mh_out *out)
{
    size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12);

    mh_out_add_n(out, mh_html_head, sizeof(mh_html_head) - 1);
    if (json_dump_callback(document, append, out, flags) < 0)
        return -EINVAL;
    mh_out_add_n(out, mh_html_tail, sizeof(mh_html_tail) - 1);
    return 0;
}
