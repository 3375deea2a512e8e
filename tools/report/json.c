/* SPDX-License-Identifier: Apache-2.0 */
/* The document itself: in the grader's order of keys, indented, so that two runs can be diffed. */
#include <errno.h>

#include "report/report.h"
#include "report/utf8.h"

#include "base/banned.h"

/* jansson escapes what JSON must not hold; this also what a terminal must not be shown. */
static int append(const char *bytes, size_t n, void *out)
{
    int length;

    for (const char *end = bytes + n, *at = bytes; at < end; at += length) {
        uint32_t code = mh_utf8_next(at, &length);

        if (code == '\n' || mh_utf8_harmless(code))
            mh_out_add_n(out, at, (size_t)length);
        else
            mh_out_printf(out, "\\u%04x", (unsigned)code);
    }
    return 0;
}

int mh_format_json(const json_t *document, const struct mh_report_options *options,
                   struct mh_out *out)
{
    /* 12 digits are more than any clock here has, and keep 0.1 from becoming 0.10000000000000001.
     */
    if (json_dump_callback(document, append, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) < 0)
        return -EINVAL;
    mh_out_add(out, "\n");
    return 0;
}
