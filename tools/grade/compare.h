/* SPDX-License-Identifier: Apache-2.0 */
/* One graded run against an earlier one, and findings that somebody has agreed to live with. Works
 * on documents (report.json), so that the earlier run's recordings need not be kept. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* A text in a document; "" where there is none. */
static inline const char *mh_document_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* Gives each finding of `document` its state against `baseline`, and the document its "comparison":
 * what is new, worse, unchanged, fixed (the same case was judged again and passed) or not
 * re-tested, and which faults fired then and did not now. Returns 0 or -ENOMEM. */
int mh_compare(json_t *document, const json_t *baseline);

struct mh_waiver {
    char id[16], owner[64], expires[12], reason[256];
    int line;
};

/* A waivers file: sections [waiver ID] with reason, owner and expires = YYYY-MM-DD, all needed. */
struct mh_waivers {
    struct mh_waiver *list;
    size_t n;
};

/* Reads it; says each mistake by complain(context, line, message). Line 0: the whole file. Returns
 * 0, -EINVAL after mistakes, or another negative errno when it cannot be read. Free with
 * mh_waivers_done(), also after a failure. */
int mh_waivers_load(const char *path, struct mh_waivers *ret,
                    void (*complain)(void *context, int line, const char *message), void *context);
void mh_waivers_done(struct mh_waivers *waivers);

/* Marks the findings that are waived. `today` is YYYY-MM-DD: a waiver is good up to and with its
 * last day; afterwards the finding counts again, and says so. Waived findings are shown, and earn
 * nothing. Waivers that name no finding of the document go to "unused_waivers". Returns 0 or
 * -ENOMEM. */
int mh_waivers_apply(json_t *document, const struct mh_waivers *waivers, const char *today);
