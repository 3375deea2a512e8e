/* SPDX-License-Identifier: Apache-2.0 */
/* Observer of a WebSocket (RFC 6455), one direction: of its frames it reads the headers, and of the
 * one that closes it the code. Fixed state, no copies, no clock, no malloc, no calls out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mh_websocket {
    uint64_t left;  /* bytes of the frame that are passed over */
    uint64_t value; /* the number that is read */
    uint16_t code;  /* it was closed with; 0 none was given */
    uint8_t step, have, mask[4];
    bool masked, closing;
    bool closed; /* it was said that nothing more will come: what follows is not looked at */
};

/* n bytes that went this way; each byte once, from the first behind the upgrade on. Returns true
 * when they close it, once. */
bool mh_websocket_seen(struct mh_websocket *w, const void *bytes, size_t n);
