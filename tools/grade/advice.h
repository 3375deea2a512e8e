/* SPDX-License-Identifier: Apache-2.0 */
/* Fixes by rule and library, read from files: config/advice/NAME.ini, whose README says what they
 * look like. A catalogue is loaded once and lent to mh_grade(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/vec.h"

enum mh_advice_role {
    MH_ADVICE_client,    /* makes calls: only for a site, or a peer, that it was seen with */
    MH_ADVICE_framework, /* calls the application */
    MH_ADVICE_server,    /* runs it */
    MH_ADVICE_tool,      /* retries, breakers, caches, limits, logs, metrics */
    MH_ADVICE_stdlib,    /* comes with CPython, whose version is its own */
};

/* Texts of [library]; any may be NULL but name, modules and role. */
enum mh_advice_key {
    MH_ADVICE_name,
    MH_ADVICE_package,
    MH_ADVICE_modules,
    MH_ADVICE_versions,
    MH_ADVICE_role,
    MH_ADVICE_error,
    MH_ADVICE_above,
    MH_ADVICE_status,
    MH_ADVICE_about,
    MH_ADVICE_KEYS
};

/* Texts of [MH-nnnn]; say or code is there. */
enum mh_advice_text {
    MH_ADVICE_say,
    MH_ADVICE_code,
    MH_ADVICE_docs,
    MH_ADVICE_note,
    MH_ADVICE_TEXTS
};

struct mh_advice_row {
    char rule[8]; /* "MH-0601" */
    int line;
    char *text[MH_ADVICE_TEXTS];
};

enum { MH_VERSION_PARTS = 4 };
struct mh_version {
    bool known;
    int part[MH_VERSION_PARTS];
};

struct mh_advice_library {
    char *file; /* "redis.ini" */
    char *text[MH_ADVICE_KEYS];
    enum mh_advice_role role;
    bool always; /* modules = *: for whoever has nothing else */
    struct mh_version from, below;
    MH_VEC(struct mh_advice_row) rows;
};

struct mh_advice {
    MH_VEC(struct mh_advice_library) libraries; /* by name of the file */
};

/* What is wrong with a file, and where; line 0: with the file, file NULL: with the folder. */
typedef void mh_advice_complain(void *context, const char *file, int line, const char *message);

/* Reads the *.ini of a folder. A file with a mistake is told of and left out. Returns 0, -EINVAL
 * when there was a mistake, or another negative errno (-ENOENT: there is no such folder); *ret is
 * set but without memory, when it is NULL. Free it with mh_advice_free(). */
int mh_advice_load(const char *folder, mh_advice_complain *complain, void *context,
                   struct mh_advice **ret);
struct mh_advice *mh_advice_free(struct mh_advice *advice);

/* The advice of the library for a rule; NULL none. */
const struct mh_advice_row *mh_advice_row(const struct mh_advice_library *library,
                                          const char *rule);

/* Is `module` ("redis.asyncio") where this path below the packages ("redis/asyncio/client.py")
 * lies? Returns the module's length, 0 no. */
size_t mh_advice_module(const char *module, size_t n, const char *path);

/* "4.2.1rc1": its first numbers. Returns false, and unknown, when it does not begin with one. */
bool mh_version_parse(const char *text, struct mh_version *ret);
int mh_version_compare(const struct mh_version *a, const struct mh_version *b);
/* Does a file for these versions hold for this one? An unknown one is taken for the newest. */
bool mh_advice_for_version(const struct mh_advice_library *library,
                           const struct mh_version *version);
/* The version of a library that one of whose files lies there, by what pip or apt left beside it;
 * unknown when that is not on this machine. */
void mh_version_installed(const struct mh_advice_library *library, const char *file,
                          struct mh_version *ret);

/* Words in braces that stand for what was seen; each with what it is when nothing is known. */
enum mh_placeholder {
#define PLACEHOLDER(name, unknown, means) MH_PLACEHOLDER_##name,
#include "grade/placeholders.def"
#undef PLACEHOLDER
    MH_PLACEHOLDERS
};
/* The length of the placeholder that `text` begins with, braces and all; 0: it begins with none.
 * *ret is MH_PLACEHOLDERS for a word that is not known. */
size_t mh_placeholder_at(const char *text, enum mh_placeholder *ret);
const char *mh_placeholder_name(enum mh_placeholder placeholder);

/* The text with values for its placeholders; a value that is NULL is what is said when nothing is
 * known. Caller frees; NULL without memory. */
char *mh_advice_fill(const char *text, const char *const values[MH_PLACEHOLDERS]);
