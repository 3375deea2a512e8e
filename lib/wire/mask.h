/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed digest of a text in which what differs from run to run is masked: numbers, hexadecimal ids
 * of eight digits or more, and UUIDs all count as one `0`, so that two answers that say the same
 * about different orders have the same digest. Incremental: how the text is cut does not matter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mh_mask {
    uint64_t key;
    uint64_t digest;  /* of all before, the open run taken as it stands */
    uint64_t run;     /* digest before the open run of hexadecimal digits */
    uint64_t token;   /* digest before the open sequence of such runs and dashes */
    uint32_t run_len; /* 0 = no run is open */
    uint8_t shape;    /* characters that fit the shape of a UUID; 255 when it cannot be one */
    bool in_token, decimal, after_decimal;
};

void mh_mask_init(struct mh_mask *m, uint64_t key);
void mh_mask_add(struct mh_mask *m, const void *bytes, size_t n);

/* The digest so far; never 0. More may be added afterwards. */
uint64_t mh_mask_digest(const struct mh_mask *m);
