/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap report --format otlp`: a run as OTLP/JSON, one export request a line, as the collector's
 * file exporter writes it and its receivers take it: spans of units of work and of their attempts,
 * findings as log records, the score as metrics. */
#pragma once

#include <jansson.h>

#include "model/model.h"
#include "otlp_json.h"

extern const char mh_otlp_doc[]; /* one line, for `mishap list formats` */

/* Is it the name of a file of this format? */
bool mh_otlp_path(const char *path);

/* Writes to path (NULL or "-": stdout). `model` may be NULL (a stored report): then no spans.
 * Returns 0 or a negative errno. */
int mh_otlp_write(const struct mh_model *model, const json_t *document, const char *path);

/* The spans of one run, request by request. */
void mh_otlp_spans(struct mh_otlp *o, const struct mh_model *m);
