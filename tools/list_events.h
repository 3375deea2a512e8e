/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the recording format, for `mishap list events` and `mishap list codes`, of which
 * mishap-events(5) is made; and the verbs, for mishap(1). */
#pragma once

#include "listing.h"

enum { MH_EVENT_COLUMNS = 5, MH_CODE_COLUMNS = 4, MH_VERB_COLUMNS = 3 };
extern const struct mh_listing_column mh_event_columns[MH_EVENT_COLUMNS];
extern const struct mh_listing_column mh_code_columns[MH_CODE_COLUMNS];
extern const struct mh_listing_column mh_verb_columns[MH_VERB_COLUMNS];

/* Each fills a listing that has these columns. Returns 0. */
int mh_list_events(struct mh_listing *l);
int mh_list_codes(struct mh_listing *l);
int mh_list_verbs(struct mh_listing *l);
