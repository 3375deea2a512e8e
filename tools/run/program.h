/* SPDX-License-Identifier: Apache-2.0 */
/* What a command really is: the ELF file that the kernel would start for it, the command line that
 * the process would have, and whether libmishap.so can be preloaded into it. Nothing is run. */
#pragma once

#include <stdbool.h>

struct mh_program {
    char *path;    /* of the ELF file, as /proc/PID/exe would have it; NULL unknown */
    char *invoked; /* as it was called: a link to it that decides where modules come from */
    char *line;    /* arguments with blanks between */
    bool musl;     /* it asks for musl's loader */
    bool python;   /* it starts an interpreter: it has or wants CPython's entry points */
    char why[400]; /* the library cannot be in it, because; "" it can */
    bool foreign;  /* with the library in its environment it would not even start */
    bool alone;    /* the library cannot be in it, but perhaps in what it starts */
};

/* Follows PATH, and "#!" lines as the kernel and env do. `library`: its path, NULL when it is not
 * there. Returns 0, or -ENOMEM; what is wrong with the command is in `why`. To be released in
 * either case. */
int mh_program_inspect(char *const argv[], const char *library, struct mh_program *ret);
void mh_program_done(struct mh_program *p);

/* Where execvp() would find it; caller frees. NULL: nowhere. */
char *mh_program_find(const char *name);
