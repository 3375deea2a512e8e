/* SPDX-License-Identifier: Apache-2.0 */
/* What the ids of a recording stand for; see event_names.h. */
#include "event_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

enum { MOST_NAMES = 1 << 20 }; /* ids past it come from a damaged record */

static int list_put(struct mh_name_list *list, int64_t id, const char *text, size_t len)
{
    if (id < 0 || id >= MOST_NAMES)
        return 0;
    if ((size_t)id >= list->n) {
        size_t n = MH_MAX((size_t)id + 1, list->n * 2);
        char **texts = reallocarray(list->text, n, sizeof(*texts));

        if (!texts)
            return -ENOMEM;
        memset(texts + list->n, 0, (n - list->n) * sizeof(*texts));
        list->text = texts;
        list->n = n;
    }
    free(list->text[id]);
    list->text[id] = strndup(text, len);
    return list->text[id] ? 0 : -ENOMEM;
}

static const char *list_get(const struct mh_name_list *list, int64_t id)
{
    return id >= 0 && (size_t)id < list->n ? list->text[id] : NULL;
}

static void list_done(struct mh_name_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->text[i]);
    free(list->text);
}

static int learn_peer(struct mh_names *names, const struct mh_record *record)
{
    struct mh_ev_peer peer = mh_record_as(record, peer);
    const char *address = memchr(record->tail, '\n', record->tail_len);
    size_t name = address ? (size_t)(address - record->tail) : record->tail_len;
    char *text;
    int r;

    if (!name && address)
        r = asprintf(&text, "%.*s:%" PRId64, (int)(record->tail_len - 1), address + 1, peer.port);
    else
        r = asprintf(&text, "%.*s:%" PRId64, (int)name, record->tail, peer.port);
    if (r < 0)
        return -ENOMEM;
    r = list_put(&names->peers, peer.peer, text, strlen(text));
    free(text);
    return r;
}

static int learn_fault(struct mh_names *names, const struct mh_record *record)
{
    const char *end = memchr(record->tail, '\n', record->tail_len);
    size_t n = end ? (size_t)(end - record->tail) : strnlen(record->tail, record->tail_len);

    return list_put(&names->faults, mh_record_as(record, fault).fault + 1, record->tail, n);
}

int mh_names_learn(struct mh_names *names, const struct mh_record *record)
{
    switch (record->type) {
    case MH_EVENT_peer:
        return learn_peer(names, record);
    case MH_EVENT_path:
        return list_put(&names->paths, mh_record_as(record, path).path, record->tail,
                        strnlen(record->tail, record->tail_len));
    case MH_EVENT_fault:
        return learn_fault(names, record);
    default:
        return 0;
    }
}

const char *mh_names_peer(const struct mh_names *names, int64_t peer)
{
    return list_get(&names->peers, peer);
}

const char *mh_names_path(const struct mh_names *names, int64_t path)
{
    return list_get(&names->paths, path);
}

const char *mh_names_fault(const struct mh_names *names, int64_t fault)
{
    return list_get(&names->faults, fault);
}

void mh_names_done(struct mh_names *names)
{
    list_done(&names->peers);
    list_done(&names->paths);
    list_done(&names->faults);
}
