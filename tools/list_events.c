/* SPDX-License-Identifier: Apache-2.0 */
/* The recording format as listings; see list_events.h. */
#include "list_events.h"

#include <stdio.h>

#include "base/macros.h"
#include "table/table.h"

#include "base/banned.h"

const struct mh_listing_column mh_event_columns[] = {{"EVENT", 13, false, .group = true},
                                                     {"FIELD", 15, false},
                                                     {"NUMBER", 6, false},
                                                     {"UNIT", 5, false},
                                                     {"MEANS", 0, false}};

const struct mh_listing_column mh_code_columns[] = {{"SET", 9, false, .group = true},
                                                    {"NAME", 15, false},
                                                    {"NUMBER", 6, false},
                                                    {"MEANS", 0, false}};

const struct mh_listing_column mh_verb_columns[] = {
    {"VERB", 8, false}, {"ARGUMENTS", 30, false}, {"DOES", 0, false}};

struct row {
    const char *event, *field, *unit, *means;
    int number;
};

/* An event is a row without a field; the fields' numbers are their places in the record. */
static const struct row rows[] = {
#define EVENT_BEGIN(number, name, doc) {#name, "", "", doc, number},
#define FIELD(event, name, unit, doc)  {#event, #name, unit, doc, -1},
#define EVENT_END(name, tail)          {#name, "text", "", tail, -2},
#include "table/events.def"
#undef EVENT_BEGIN
#undef FIELD
#undef EVENT_END
};

int mh_list_events(struct mh_listing *l)
{
    int place = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char number[16] = "";

        if (rows[i].number == -2 && !rows[i].means[0])
            continue; /* it has no text */
        if (rows[i].number >= 0)
            place = 0;
        if (rows[i].number != -2)
            snprintf(number, sizeof(number), "%d", rows[i].number < 0 ? place++ : rows[i].number);
        mh_listing_add(l, rows[i].event);
        mh_listing_add(l, rows[i].field);
        mh_listing_add(l, number);
        mh_listing_add(l, rows[i].unit);
        mh_listing_add(l, rows[i].means);
    }
    return 0;
}

static void add_code(struct mh_listing *l, const char *set, const char *name, int number,
                     const char *means)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
    mh_listing_add(l, set);
    mh_listing_add(l, name);
    mh_listing_add(l, text);
    mh_listing_add(l, means);
}

int mh_list_codes(struct mh_listing *l)
{
#define CODE(set, number, name, doc) add_code(l, #set, #name, number, doc);
#include "table/codes.def"
#undef CODE
    for (int i = 0; i < MH_OP_COUNT; i++)
        add_code(l, "operation", mh_op_rows[i].name, i, mh_op_rows[i].doc);
    for (int i = 0; i < MH_EFFECT_COUNT; i++)
        add_code(l, "effect", mh_effect_rows[i].name, i, mh_effect_rows[i].doc);
    return 0;
}

int mh_list_verbs(struct mh_listing *l)
{
#define VERB(name, arguments, summary)                                                             \
    mh_listing_add(l, #name);                                                                      \
    mh_listing_add(l, arguments);                                                                  \
    mh_listing_add(l, summary);
#include "verbs.def"
#undef VERB
    return 0;
}
