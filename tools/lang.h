/* SPDX-License-Identifier: Apache-2.0 */
/* --lang: which languages there are, and the one that was asked for. Says what is wrong. */
#pragma once

#include "report/lang.h"

/* Opens the catalogue of that name ("pt"); "en" and NULL need none, and *ret is NULL. Returns an
 * exit status; mh_lang_free() is the caller's. */
int mh_lang_open(const char *name, struct mh_lang **ret);
