/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays and a map from 64-bit keys to 32-bit numbers, for the tools. Every allocation is
 * checked: what cannot grow returns NULL or -ENOMEM and leaves the container as it was. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* struct { type *v; size_t n, cap; } and its use: MH_VEC(struct mh_unit) units; */
#define MH_VEC(type)                                                                               \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n, cap;                                                                             \
    }

/* A new zeroed element at the end, or NULL. */
#define mh_vec_add(vec)                                                                            \
    ((__typeof__((vec)->v))mh_vec_push((void **)&(vec)->v, &(vec)->n, &(vec)->cap,                 \
                                       sizeof(*(vec)->v)))
void *mh_vec_push(void **v, size_t *n, size_t *cap, size_t size);

/* Open addressing; key 0 is allowed, value UINT32_MAX is not. */
struct mh_map {
    uint64_t *keys;
    uint32_t *values;
    size_t n, cap;
};

enum { MH_MAP_NONE = UINT32_MAX };

/* The value of a key; MH_MAP_NONE when absent. */
uint32_t mh_map_get(const struct mh_map *map, uint64_t key);

/* Sets the value of a key. Returns 0 or -ENOMEM. */
int mh_map_set(struct mh_map *map, uint64_t key, uint32_t value);

void mh_map_done(struct mh_map *map);

/* Texts by number, each once; number 0 is the empty text. */
struct mh_texts {
    MH_VEC(char *) list;
    struct mh_map numbers;
};

/* The number of a text of n bytes. Returns it, or -ENOMEM. */
int64_t mh_texts_add(struct mh_texts *texts, const char *text, size_t n);

/* Borrowed until mh_texts_done(). */
const char *mh_texts_get(const struct mh_texts *texts, uint32_t number);

void mh_texts_done(struct mh_texts *texts);
