/* SPDX-License-Identifier: Apache-2.0 */
/* Text for man pages: what a listing prints with --format=man. */
#pragma once

#include <stdio.h>

/* The text as roff takes it: no escape, no request comes of it. */
void mh_roff_text(FILE *out, const char *text);
