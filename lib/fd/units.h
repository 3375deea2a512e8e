/* SPDX-License-Identifier: Apache-2.0 */
/* Inbound requests as units of work: what passes on a connection that we accepted, turned into
 * their begins and ends. Of HTTP/1.x it is read, behind TLS it follows from whose turn it is.
 * Called with the description locked, by observe.c only. */
#pragma once

#include <stddef.h>

#include "fd/table.h"

/* n bytes were received, and sent. */
void mh_units_read(struct mh_desc *d, const char *bytes, size_t n);
void mh_units_wrote(struct mh_desc *d, const char *bytes, size_t n);

/* The last descriptor of this connection is about to go: so do the units on it. */
void mh_units_closed(struct mh_desc *d);

/* The connection speaks something that is not read, as was perhaps noticed just now: told once, on
 * either side. */
void mh_units_spoken(struct mh_desc *d);
