/* SPDX-License-Identifier: Apache-2.0 */
/* What all of OTLP/JSON is made of: attributes, times, and requests of one line each. Whole numbers
 * of 64 bits are strings there, enums are numbers. Without memory the first error is kept. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct mh_otlp {
    FILE *out;
    int error; /* 0, or the first negative errno */
};

enum mh_otlp_signal { MH_OTLP_spans, MH_OTLP_logs, MH_OTLP_metrics };

/* Attributes at the end of a list; a text that is NULL or "" is left out. */
void mh_otlp_text(struct mh_otlp *o, json_t *attributes, const char *key, const char *value);
void mh_otlp_int(struct mh_otlp *o, json_t *attributes, const char *key, int64_t value);
void mh_otlp_flag(struct mh_otlp *o, json_t *attributes, const char *key, bool value);
/* server.address and server.port of "name:port", "[address]:port" or a path. */
void mh_otlp_peer(struct mh_otlp *o, json_t *attributes, const char *peer);

/* New references; text is made UTF-8. */
json_t *mh_otlp_string(const char *text);
json_t *mh_otlp_number(int64_t value);

/* Both take the value over. */
void mh_otlp_add(struct mh_otlp *o, json_t *list, json_t *value);
void mh_otlp_set(struct mh_otlp *o, json_t *object, const char *key, json_t *value);

/* Writes one request; takes the resource's attributes and the list of spans, records or metrics
 * over. An empty list is no request. */
void mh_otlp_put(struct mh_otlp *o, enum mh_otlp_signal signal, json_t *resource, json_t *list);
