/* SPDX-License-Identifier: Apache-2.0 */
/* The few HTTP header fields that the observer of wire/http.h reads, and the forms of their values.
 * Pure functions over bytes; any context may call them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mh_field {
    MH_FIELD_other,
    MH_FIELD_length,          /* Content-Length */
    MH_FIELD_encoding,        /* Transfer-Encoding */
    MH_FIELD_idempotency_key, /* Idempotency-Key */
    MH_FIELD_retry_after,     /* Retry-After */
    MH_FIELD_date,            /* Date */
    MH_FIELD_upgrade,         /* Upgrade */
};

/* Whether a name with this first character (lower case) can be one of ours. */
static inline bool mh_field_may_start(char c)
{
    return c == 'c' || c == 'd' || c == 'i' || c == 'r' || c == 't' || c == 'u';
}

/* The field of this name, which is in lower case. */
enum mh_field mh_field_named(const char *name, size_t n);

/* Decimal digits and nothing else; -1 when it is something else or does not fit. */
int64_t mh_field_number(const char *value, size_t n);

/* "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since 1970; -1 when it has another form. */
int64_t mh_field_date(const char *value, size_t n);

/* Is this the protocol of a WebSocket? */
bool mh_field_websocket(const char *value, size_t n);

/* Whether `chunked` is the last of the codings named. */
bool mh_field_chunked(const char *value, size_t n);
