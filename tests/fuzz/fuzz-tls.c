/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as TLS, both ways: what is seen does not depend on the pieces in which they come, and
 * nothing is read past their end. Input: a side (one byte, odd: the server), a length (two bytes,
 * big-endian) and so many bytes; and again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "wire/tls.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE_HEAD = 3, LASTS = MH_TLS_DATA | MH_TLS_SCRAP | MH_TLS_ALERT };

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* In a block of its own size, so that a sanitizer sees who reads past it. */
static unsigned show(struct mh_tls *t, bool server, const uint8_t *p, size_t n, size_t piece)
{
    unsigned flags = 0;

    for (size_t i = 0; i < n; i += piece) {
        size_t k = MH_MIN(piece, n - i);
        uint8_t *copy = malloc(k);

        must(copy != NULL, "there is memory");
        memcpy(copy, p + i, k);
        flags |= server ? mh_tls_answers(t, copy, k) : mh_tls_asks(t, copy, k);
        free(copy);
    }
    return flags;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mh_tls whole, bytes;

    memset(&whole, 0, sizeof(whole)); /* padding, too: it is compared */
    memset(&bytes, 0, sizeof(bytes));
    for (size_t at = 0; at + PIECE_HEAD < size;) {
        bool server = data[at] & 1;
        size_t n = MH_MIN((size_t)data[at + 1] << 8 | data[at + 2], size - at - PIECE_HEAD);
        const uint8_t *p = data + at + PIECE_HEAD;

        must((show(&whole, server, p, n, MH_MAX(n, 1)) & LASTS) ==
                 (show(&bytes, server, p, n, 1) & LASTS),
             "the same is seen in one piece and in many");
        must(!memcmp(&whole, &bytes, sizeof(whole)), "and the same remembered");
        mh_tls_opens(p, n);
        at += PIECE_HEAD + n;
    }
    return 0;
}
