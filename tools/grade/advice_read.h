/* SPDX-License-Identifier: Apache-2.0 */
/* Between advice_load.c, which reads files line by line, and advice_keys.c, which takes sections
 * and keys; nobody else includes it. */
#pragma once

#include <stdio.h>

#include "base/macros.h"
#include "grade/advice.h"

struct mh_advice_reader {
    mh_advice_complain *complain;
    void *context;
    FILE *stream;
    char *text; /* of getline() */
    size_t size;
    const char *file;
    int line, mistakes, failed;
    int before; /* mistakes in the files before this one */
    struct mh_advice_library *library;
    struct mh_advice_row *row; /* NULL in [library] */
    bool headed;               /* [library] was there */
    bool skip;                 /* the head of the section was wrong: its keys are not read */
    int section_line;
    char **now; /* what a line of '| ...' goes on with */
    bool lines; /* ... it keeps its lines; else it is prose */
};

MH_PRINTF(3, 4)
void mh_advice_mistake(struct mh_advice_reader *r, int line, const char *format, ...);
void mh_advice_section(struct mh_advice_reader *r, const char *name);
/* A section that began is looked at as a whole. */
void mh_advice_section_end(struct mh_advice_reader *r);
void mh_advice_library_end(struct mh_advice_reader *r);
void mh_advice_take(struct mh_advice_reader *r, const char *name, const char *value);
void mh_advice_go_on(struct mh_advice_reader *r, const char *value);
