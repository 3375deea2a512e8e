/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of OTLP/JSON; see otlp_json.h. */
#include "otlp_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

void mh_otlp_add(struct mh_otlp *o, json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) < 0 && !o->error)
        o->error = -ENOMEM;
}

void mh_otlp_set(struct mh_otlp *o, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0 && !o->error)
        o->error = -ENOMEM;
}

json_t *mh_otlp_string(const char *text)
{
    json_t *string = json_string(text);
    char *plain;

    if (string)
        return string;
    plain = strdup(text); /* no UTF-8, or no memory: the latter shows below */
    for (char *p = plain; p && *p; p++)
        *p = (unsigned char)*p > 126 ? '?' : *p;
    string = plain ? json_string(plain) : NULL;
    free(plain);
    return string;
}

json_t *mh_otlp_number(int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return json_string(text);
}

static void attribute(struct mh_otlp *o, json_t *attributes, const char *key, const char *kind,
                      json_t *value)
{
    mh_otlp_add(o, attributes, json_pack("{s:s, s:{s:o}}", "key", key, "value", kind, value));
}

void mh_otlp_text(struct mh_otlp *o, json_t *attributes, const char *key, const char *value)
{
    if (value && *value)
        attribute(o, attributes, key, "stringValue", mh_otlp_string(value));
}

void mh_otlp_int(struct mh_otlp *o, json_t *attributes, const char *key, int64_t value)
{
    attribute(o, attributes, key, "intValue", mh_otlp_number(value));
}

void mh_otlp_flag(struct mh_otlp *o, json_t *attributes, const char *key, bool value)
{
    attribute(o, attributes, key, "boolValue", json_boolean(value));
}

void mh_otlp_peer(struct mh_otlp *o, json_t *attributes, const char *peer)
{
    const char *colon = *peer == '/' || *peer == '@' ? NULL : strrchr(peer, ':');
    size_t n = colon ? (size_t)(colon - peer) : strlen(peer);
    bool digits = colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")];
    bool brackets = n > 2 && peer[0] == '[' && peer[n - 1] == ']';
    int64_t port = 0;
    char *name;

    if (!digits) /* a name without a port */
        n = strlen(peer);
    for (const char *p = colon; digits && *++p && port < 1 << 20;)
        port = port * 10 + (*p - '0');
    name = brackets && digits ? strndup(peer + 1, n - 2) : strndup(peer, n);
    if (!name)
        o->error = o->error ? o->error : -ENOMEM;
    mh_otlp_text(o, attributes, "server.address", name);
    if (digits)
        mh_otlp_int(o, attributes, "server.port", port);
    free(name);
}

/* jansson escapes all beyond ASCII and all controls but one: then nothing is left that a terminal
 * obeys, whatever a program was called. */
static int append(const char *bytes, size_t n, void *out)
{
    for (const char *delete; (delete = memchr(bytes, 127, n));) {
        if (fwrite(bytes, 1, (size_t)(delete - bytes), out) != (size_t)(delete - bytes) ||
            fputs("\\u007f", out) == EOF)
            return -1;
        n -= (size_t)(delete - bytes) + 1;
        bytes = delete + 1;
    }
    return fwrite(bytes, 1, n, out) == n ? 0 : -1;
}

void mh_otlp_put(struct mh_otlp *o, enum mh_otlp_signal signal, json_t *resource, json_t *list)
{
    static const char *const names[][3] = {
        [MH_OTLP_spans] = {"resourceSpans", "scopeSpans", "spans"},
        [MH_OTLP_logs] = {"resourceLogs", "scopeLogs", "logRecords"},
        [MH_OTLP_metrics] = {"resourceMetrics", "scopeMetrics", "metrics"},
    };
    const char *const *name = names[signal];
    bool empty = json_array_size(list) == 0;
    json_t *request = json_pack("{s:[{s:{s:o}, s:[{s:{s:s, s:s}, s:o}]}]}", name[0], "resource",
                                "attributes", resource, name[1], "scope", "name", "mishap",
                                "version", MISHAP_VERSION, name[2], list);

    if (!request)
        o->error = o->error ? o->error : -ENOMEM;
    if (!o->error && !empty &&
        (json_dump_callback(request, append, o->out,
                            JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)) < 0 ||
         fputc('\n', o->out) == EOF))
        o->error = -EIO;
    json_decref(request);
}
