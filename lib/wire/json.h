/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a JSON object has at its top level, as one keyed digest that does not depend on their
 * order. Incremental; no text is kept, values are skipped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mh_json {
    uint64_t key;
    uint64_t sum;  /* of the mixed hashes of the keys seen */
    uint64_t hash; /* of the key being read */
    uint32_t depth;
    uint16_t nkeys;
    uint8_t state;
    bool want_key;
};

void mh_json_init(struct mh_json *j, uint64_t key);
void mh_json_add(struct mh_json *j, const void *bytes, size_t n);

/* Whether all that was added is one whole JSON object. *ret_keys (never 0 then) and *ret_nkeys are
 * untouched when it is not. Only nesting and strings are checked, not the grammar of values. */
bool mh_json_keys(const struct mh_json *j, uint64_t *ret_keys, unsigned *ret_nkeys);
