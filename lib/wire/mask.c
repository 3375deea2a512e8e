/* SPDX-License-Identifier: Apache-2.0 */
/* The masking digest; see mask.h. Two candidates are carried at once, the run masked and the run as
 * it stands, because only its end tells which of them it is; that way nothing needs buffering. */
#include "wire/mask.h"

#include "base/hash.h"

#include "base/banned.h"

enum { NO_UUID = 255, UUID_LEN = 36, HEX_MIN = 8 };

static inline uint64_t step(uint64_t h, unsigned char c)
{
    return (h ^ c) * 0x100000001b3u;
}

static inline bool is_decimal(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_hex_letter(unsigned char c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'f';
}

static inline bool dash_belongs(unsigned at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

void mh_mask_init(struct mh_mask *m, uint64_t key)
{
    *m = (struct mh_mask){.key = key, .digest = MH_HASH_START ^ mh_mix(key)};
}

static inline void end_run(struct mh_mask *m)
{
    if (m->run_len >= HEX_MIN && m->decimal)
        m->digest = step(m->run, '0');
    m->run_len = 0;
}

static void add_hex(struct mh_mask *m, unsigned char c)
{
    if (!m->in_token) {
        m->in_token = true;
        m->token = m->digest;
        m->shape = 0;
    }
    if (!m->run_len) {
        m->run = m->digest;
        m->decimal = m->after_decimal = false;
    }
    if (m->run_len < HEX_MIN)
        m->run_len++;
    if (is_decimal(c)) {
        if (!m->after_decimal)
            m->digest = step(m->digest, '0');
        m->decimal = m->after_decimal = true;
    } else {
        m->digest = step(m->digest, c);
        m->after_decimal = false;
    }
    if (m->shape >= UUID_LEN || dash_belongs(m->shape))
        m->shape = NO_UUID;
    else
        m->shape++;
}

static void end_token(struct mh_mask *m)
{
    end_run(m);
    if (m->shape == UUID_LEN)
        m->digest = step(m->token, '0');
    m->in_token = false;
}

void mh_mask_add(struct mh_mask *m, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = p[i];

        if (is_decimal(c) || is_hex_letter(c)) {
            add_hex(m, c);
        } else if (c == '-' && m->in_token) {
            end_run(m);
            m->digest = step(m->digest, c);
            m->shape = dash_belongs(m->shape) ? m->shape + 1 : NO_UUID;
        } else {
            if (m->in_token)
                end_token(m);
            m->digest = step(m->digest, c);
        }
    }
}

uint64_t mh_mask_digest(const struct mh_mask *m)
{
    struct mh_mask end = *m;
    uint64_t ret;

    if (end.in_token)
        end_token(&end);
    ret = mh_mix2(end.key, end.digest);
    return ret ? ret : 1;
}
