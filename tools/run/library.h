/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are: libmishap.so, shipped scenarios, and paths made absolute. */
#pragma once

/* The preload library that belongs to this executable: of the build tree, beside the executable, in
 * the prefix it was installed to, or moved together with it. For a command (NULL: none) on musl it
 * is libmishap-musl.so, if that is there, too. NULL with errno; caller frees. */
char *mh_library_find(char *const *command);

/* A scenario as the user named it: a file, or the name of a shipped one with or without ".ini".
 * Returns its absolute path, NULL with errno; caller frees. */
char *mh_scenario_find(const char *name);

/* The folder of the advice that is shipped. Absolute path, NULL with errno; caller frees. */
char *mh_advice_find(void);

/* The folder of catalogues of translations, in the same way. */
char *mh_lang_find(void);
