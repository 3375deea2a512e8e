/* SPDX-License-Identifier: Apache-2.0 */
/* Corruption; see corrupt.h. The stream is cut into windows, of the scenario's size or of one
 * operation; each has its own draws. */
#include "fault/corrupt.h"

#include "base/hash.h"
#include "base/macros.h"
#include "rule/draw.h"

#include "base/banned.h"

struct spots {
    const struct mh_corrupt *what;
    const struct mh_stretch *s;
    uint64_t key, base, size; /* windows begin at base */
    const struct iovec *iov;
    size_t niov;
};

static struct spots spots_of(const struct mh_desc *d, const struct mh_verdict *v,
                             const struct mh_stretch *s)
{
    struct spots p = {.what = &v->corrupt, .s = s, .key = v->draw, .base = s->op_at};

    p.size = s->op_n;
    if (v->corrupt.per) { /* where it falls is a matter of the stream, not of the operation */
        p.key = mh_mix2(mh_guest.rules->seed, v->corrupt_key);
        p.key = mh_mix2(p.key, d->path   ? mh_hash_text(MH_HASH_START, d->path)
                               : d->peer ? mh_mix2(d->peer->key, d->ordinal)
                                         : 0);
        p.base = 0;
        p.size = v->corrupt.per;
    }
    return p;
}

static void change(const struct spots *p, uint64_t at, uint64_t word)
{
    uint64_t off = at - p->s->at;

    for (size_t i = 0; i < p->niov; i++) {
        if (off < p->iov[i].iov_len) {
            unsigned char *byte = (unsigned char *)p->iov[i].iov_base + off;

            *byte ^= (unsigned char)(p->what->bytes ? mh_range_draw(1, 255, word)
                                                    : 1u << mh_range_draw(0, 7, word));
            return;
        }
        off -= p->iov[i].iov_len;
    }
}

/* Goes through all spots of the stretch; changes them if there is a vector. */
static unsigned each(const struct spots *p)
{
    const struct mh_stretch *s = p->s;
    unsigned found = 0;

    if (!p->size || s->at < p->base || !s->n)
        return 0;
    for (uint64_t w = (s->at - p->base) / p->size; w <= (s->at + s->n - 1 - p->base) / p->size; w++)
        for (uint32_t i = 0; i < p->what->count; i++) {
            uint64_t word = mh_mix2(mh_mix2(p->key, w), i);
            uint64_t at = p->base + w * p->size + mh_range_draw(0, p->size - 1, word);

            if (at < s->at || at >= s->at + s->n)
                continue;
            found++;
            if (p->niov)
                change(p, at, mh_mix2(word, 1));
        }
    return found;
}

unsigned mh_corrupt_count(const struct mh_desc *d, const struct mh_verdict *v,
                          const struct mh_stretch *s)
{
    struct spots p = spots_of(d, v, s);

    return each(&p);
}

void mh_corrupt(const struct mh_desc *d, const struct mh_verdict *v, const struct mh_stretch *s,
                const struct iovec *iov, size_t niov)
{
    struct spots p = spots_of(d, v, s);

    p.iov = iov;
    p.niov = niov;
    each(&p);
}
