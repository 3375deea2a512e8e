/* SPDX-License-Identifier: Apache-2.0 */
/* Characters: one at a time, and whether showing them is safe. Pure; any format may use it. */
#pragma once

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>

/* The character at `text` and how many bytes it takes (1 or more); 0 when it is no sound UTF-8. */
uint32_t mh_utf8_next(const char *text, int *ret_n);

/* Whether it only shows itself: no control, which could repaint a terminal, and no mark of
 * direction, which could turn a line around. Newline and tab are controls too. */
bool mh_utf8_harmless(uint32_t code);

/* How wide a character is depends on the locale of the thread; between these two it speaks UTF-8,
 * and nothing else of it is changed. */
struct mh_utf8_locale {
    locale_t ours, before;
};
struct mh_utf8_locale mh_utf8_enter(void);
void mh_utf8_leave(struct mh_utf8_locale locale);
