/* SPDX-License-Identifier: Apache-2.0 */
/* The WebSocket observer; see websocket.h. */
#include "wire/websocket.h"

#include "base/macros.h"

#include "base/banned.h"

enum { CLOSE = 8, OPCODE = 15, MASKED = 128, LENGTH = 127, LENGTH_16 = 126, LENGTH_64 = 127 };
enum step { FIRST, SECOND, LONG, MASK, CODE, PAYLOAD };

/* The header is whole, but for the mask perhaps. */
static void header(struct mh_websocket *w, uint64_t length)
{
    w->left = length;
    w->have = 0;
    w->value = 0;
    w->step = w->masked ? MASK : w->closing ? CODE : PAYLOAD;
}

static void second_byte(struct mh_websocket *w, uint8_t byte)
{
    unsigned length = byte & LENGTH;

    w->masked = (byte & MASKED) != 0;
    w->have = w->value = 0;
    if (length < LENGTH_16) {
        header(w, length);
        return;
    }
    w->have = length == LENGTH_64 ? 8 : 2;
    w->step = LONG;
}

/* A byte that is no payload, or that of the code. */
static void byte_seen(struct mh_websocket *w, uint8_t byte)
{
    switch (w->step) {
    case FIRST:
        w->closing = (byte & OPCODE) == CLOSE;
        w->step = SECOND;
        break;
    case SECOND:
        second_byte(w, byte);
        break;
    case LONG:
        w->value = w->value << 8 | byte;
        if (!--w->have)
            header(w, w->value);
        break;
    case MASK:
        w->mask[w->have++] = byte;
        if (w->have == sizeof(w->mask)) {
            w->have = 0;
            w->step = w->closing ? CODE : PAYLOAD;
        }
        break;
    default: /* CODE */
        w->value = w->value << 8 | (byte ^ (w->masked ? w->mask[w->have] : 0));
        w->left--;
        if (++w->have == 2) {
            w->code = (uint16_t)w->value;
            w->step = PAYLOAD;
        }
        break;
    }
}

bool mh_websocket_seen(struct mh_websocket *w, const void *bytes, size_t n)
{
    const uint8_t *p = bytes, *end = p + n;

    while (!w->closed) {
        if (w->step == CODE && w->left < 2U - w->have) /* it has none */
            w->step = PAYLOAD;
        if (w->step == PAYLOAD && w->closing) {
            w->closed = true;
            return true;
        }
        if (w->step == PAYLOAD && !w->left)
            w->step = FIRST;
        if (p == end)
            break;
        if (w->step == PAYLOAD) {
            size_t k = w->left < (uint64_t)(end - p) ? (size_t)w->left : (size_t)(end - p);

            w->left -= k;
            p += k;
        } else {
            byte_seen(w, *p++);
        }
    }
    return false;
}
