/* SPDX-License-Identifier: Apache-2.0 */
/* Containers of the tools; see vec.h. */
#include "model/vec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#include "base/banned.h"

void *mh_vec_push(void **v, size_t *n, size_t *cap, size_t size)
{
    char *slot;

    if (*n == *cap) {
        size_t more = *cap ? *cap * 2 : 16;
        void *grown = reallocarray(*v, more, size);

        if (!grown)
            return NULL;
        *v = grown;
        *cap = more;
    }
    slot = (char *)*v + (*n)++ * size;
    memset(slot, 0, size);
    return slot;
}

static size_t slot_of(const struct mh_map *map, uint64_t key)
{
    size_t i = mh_mix(key) & (map->cap - 1);

    while (map->values[i] != MH_MAP_NONE && map->keys[i] != key)
        i = (i + 1) & (map->cap - 1);
    return i;
}

uint32_t mh_map_get(const struct mh_map *map, uint64_t key)
{
    return map->cap ? map->values[slot_of(map, key)] : MH_MAP_NONE;
}

static int map_grow(struct mh_map *map)
{
    struct mh_map to = {.cap = map->cap ? map->cap * 2 : 64};

    to.keys = calloc(to.cap, sizeof(*to.keys));
    to.values = malloc(to.cap * sizeof(*to.values));
    if (!to.keys || !to.values) {
        mh_map_done(&to);
        return -ENOMEM;
    }
    memset(to.values, 0xff, to.cap * sizeof(*to.values));
    for (size_t i = 0; i < map->cap; i++) {
        if (map->values[i] != MH_MAP_NONE) {
            size_t at = slot_of(&to, map->keys[i]);

            to.keys[at] = map->keys[i];
            to.values[at] = map->values[i];
            to.n++;
        }
    }
    mh_map_done(map);
    *map = to;
    return 0;
}

int mh_map_set(struct mh_map *map, uint64_t key, uint32_t value)
{
    size_t i;

    if ((map->n + 1) * 3 > map->cap * 2 && map_grow(map))
        return -ENOMEM;
    i = slot_of(map, key);
    map->n += map->values[i] == MH_MAP_NONE;
    map->keys[i] = key;
    map->values[i] = value;
    return 0;
}

void mh_map_done(struct mh_map *map)
{
    free(map->keys);
    free(map->values);
    *map = (struct mh_map){0};
}

/* Two texts with the same 64-bit hash would become one: at a million texts the chance is 3e-8. */
int64_t mh_texts_add(struct mh_texts *texts, const char *text, size_t n)
{
    uint64_t key = mh_mix2(mh_hash_bytes(MH_HASH_START, text, n), n);
    uint32_t have = mh_map_get(&texts->numbers, key);
    char **slot;

    if (n == 0)
        return 0;
    if (have != MH_MAP_NONE)
        return have;
    slot = mh_vec_add(&texts->list);
    if (!slot)
        return -ENOMEM;
    *slot = strndup(text, n);
    if (!*slot || mh_map_set(&texts->numbers, key, (uint32_t)texts->list.n)) {
        free(*slot);
        texts->list.n--;
        return -ENOMEM;
    }
    return (int64_t)texts->list.n;
}

const char *mh_texts_get(const struct mh_texts *texts, uint32_t number)
{
    return number && number <= texts->list.n ? texts->list.v[number - 1] : "";
}

void mh_texts_done(struct mh_texts *texts)
{
    for (size_t i = 0; i < texts->list.n; i++)
        free(texts->list.v[i]);
    free(texts->list.v);
    mh_map_done(&texts->numbers);
    *texts = (struct mh_texts){0};
}
