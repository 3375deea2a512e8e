/* SPDX-License-Identifier: Apache-2.0 */
/* The document itself: in the grader's order of keys, indented, so that two runs can be diffed. */
#include <errno.h>

#include "report/report.h"

#include "base/banned.h"

static int append(const char *bytes, size_t n, void *out)
{
    mh_out_add_n(out, bytes, n);
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
