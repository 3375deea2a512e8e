/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the graded document (report.schema.json): every question has an answer, also when a field
 * is missing, null or of another type, so that no format can be made to crash by a document. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Borrowed from the document; "" when it is no text. */
const char *mh_doc_text(const json_t *object, const char *key);

/* `otherwise` when it is no number. */
double mh_doc_number(const json_t *object, const char *key, double otherwise);
/* To the nearest whole number, halves up: what every format prints for points. */
long long mh_doc_rounded(const json_t *object, const char *key, double scale);
long long mh_doc_int(const json_t *object, const char *key);

/* Whether the field is there and not null. */
bool mh_doc_known(const json_t *object, const char *key);
bool mh_doc_true(const json_t *object, const char *key);

/* The value below a.b.c, or NULL. */
const json_t *mh_doc_at(const json_t *document, const char *dotted);

/* How many items of the list have this text in the field. */
size_t mh_doc_count(const json_t *list, const char *key, const char *text);

/* The names of the outcomes, best first, and of the severities, worst first; NULL-terminated. */
extern const char *const mh_outcome_names[];
extern const char *const mh_severity_names[];
