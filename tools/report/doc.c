/* SPDX-License-Identifier: Apache-2.0 */
/* Forgiving access to the graded document. */
#include "report/doc.h"

#include <stdio.h>
#include <string.h>

#include "report/lang.h"

#include "base/banned.h"

const char *const mh_outcome_names[] = {
    MH_TEXT("absorbed"), MH_TEXT("degraded"), MH_TEXT("refused"),   MH_TEXT("broke"),
    MH_TEXT("hung"),     MH_TEXT("silent"),   MH_TEXT("collapsed"), NULL};
const char *const mh_severity_names[] = {"Critical", "High", "Medium", "Low", NULL};

const char *mh_doc_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

double mh_doc_number(const json_t *object, const char *key, double otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : otherwise;
}

/* printf rounds halves to even and a browser up: one grade must not read 68 here and 69 there. */
long long mh_doc_rounded(const json_t *object, const char *key, double scale)
{
    double value = scale * mh_doc_number(object, key, 0) + 0.5;
    long long whole = (long long)value;

    return whole - (value < (double)whole);
}

long long mh_doc_int(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_real(value))
        return (long long)json_real_value(value);
    return json_integer_value(value);
}

bool mh_doc_known(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value && !json_is_null(value);
}

bool mh_doc_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const json_t *mh_doc_at(const json_t *document, const char *dotted)
{
    char key[64];

    while (document && *dotted) {
        size_t n = strcspn(dotted, ".");

        snprintf(key, sizeof(key), "%.*s", (int)n, dotted);
        document = json_object_get(document, key);
        dotted += n + (dotted[n] == '.');
    }
    return document;
}

size_t mh_doc_count(const json_t *list, const char *key, const char *text)
{
    size_t i, count = 0;
    const json_t *item;

    json_array_foreach(list, i, item) count += !strcmp(mh_doc_text(item, key), text);
    return count;
}
