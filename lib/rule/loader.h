/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the loader share, and nobody else includes: the state while scenarios are read.
 * source.c reads files and hands lines to inih; load.c takes sections and keys; value.c and words.c
 * take values; check.c looks at whole sections; patterns.c reads peers. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "rule/keys.h"
#include "rule/load.h"

/* Longest name of a fault or phase: inih keeps 49 letters of "fault NAME". */
enum { MH_LOAD_NAME = 43, MH_LOAD_LINE = 256 };

/* A file, mapped as long as mh_rules_load() runs. */
struct mh_source {
    char *text;
    size_t len, mapped;
};

struct mh_loader {
    struct mh_rules *rules;
    struct mh_mistakes *mistakes;
    struct mh_source sources[MH_MAX_FILES];

    bool unread;   /* a file is missing: what it may define is not known */
    bool unsure;   /* a mistake that may have hidden what phases there are, and what they list */
    unsigned file; /* the one that is read */
    const char *at, *end;
    int line;

    enum mh_section section; /* none: before the first, or of unknown kind */
    bool headed;             /* a section has begun */
    char title[64];          /* "[fault slow-redis]" */
    int section_line;
    struct mh_phase *phase;
    struct mh_fault *fault;
    int run_line; /* of [run] in this file */

    const struct mh_key_row *key; /* last key line; NULL when there is none to go on with */
    bool has_key;                 /* there was a key line in this section, if only a wrong one */
    bool continued;               /* this line goes on with it */
    int empty_line;               /* of a list key whose words are still to come; 0 none */
    int comma_line;               /* of a list that ended with a comma as yet; 0 none */
    const struct mh_key_row *comma_key;
    int key_line[MH_KEY_COUNT];      /* where each key of this section was set; 0 not */
    unsigned key_file[MH_KEY_COUNT]; /* for keys of [run], which may be in any file */

    uint32_t tried; /* effects that were asked for, if only wrongly */
    unsigned ncalls;
    struct {
        char word[MH_NAME_SIZE];
        uint64_t ops;
    } calls[MH_MAX_PATTERNS];

    struct mh_phase spare_phase; /* for sections that will not be kept, so that their keys are */
    struct mh_fault spare_fault; /* read all the same */
    char value[MH_LOAD_LINE];

    const char *changes; /* of mh_rules_load_changed(); NULL none */
    char changed[MH_LOAD_LINE];
};

/* Appends to *b: %s text, %q text in quotes and cut to a sensible length, %u unsigned. */
void mh_say(struct mh_buf *b, const char *format, ...);
void mh_say_args(struct mh_buf *b, const char *format, va_list args);

/* Notes a mistake in the file that is read; format as mh_say(). */
void mh_complain(struct mh_loader *l, int line, const char *format, ...);
void mh_complain_in(struct mh_loader *l, unsigned file, int line, const char *format, ...);

/* "KEY = TEXT: REASON; allowed: ..." at the current line; format as mh_say(). */
void mh_complain_value(struct mh_loader *l, const struct mh_key_row *key, const char *text,
                       const char *format, ...);

/* The nearest right spelling of a word. Start with {word}; try candidates; ask. */
struct mh_nearest {
    const char *word, *best;
    unsigned least;
};
void mh_nearest_try(struct mh_nearest *n, const char *candidate);
/* The best word in `format`, as of mh_say(), and returns true; or `otherwise`. */
bool mh_nearest_say(const struct mh_nearest *n, struct mh_buf *b, const char *format,
                    const char *otherwise);
#define MH_DID_YOU_MEAN " (did you mean '%s'?)"

/* source.c: maps the file `path` as source `file`, or complains and returns false. */
bool mh_source_read(struct mh_loader *l, unsigned file, const char *path);
void mh_source_done(struct mh_source *s);
/* Finds the fault sections of the file. */
void mh_source_scan(struct mh_loader *l);
/* Has inih read the file that is l->file. */
void mh_source_parse(struct mh_loader *l);

/* A section's head: "[fault NAME]" without comment and spaces around it. */
struct mh_head {
    enum mh_section section;
    char name[MH_LOAD_NAME + 1];
};
/* With `l` not NULL it complains of what is wrong; returns whether the head is sound. Unsound heads
 * have the section that was probably meant, or none. */
bool mh_head_parse(struct mh_loader *l, const char *text, struct mh_head *ret);

/* load.c: called by source.c in the order of lines. */
void mh_load_section(struct mh_loader *l, const char *text);
void mh_load_section_end(struct mh_loader *l);
/* A key line that cannot be used: what goes on with it is not read. */
void mh_load_skip(struct mh_loader *l);
int mh_load_key(void *loader, const char *section, const char *name, const char *value);

/* change.c: the value that `key` of the fault being read has now, into l->changed; false: the
 * file's. */
bool mh_change_find(struct mh_loader *l, const char *key);
/* NAME.KEY=none: as if the section did not have the key. */
bool mh_change_drops(const char *value);
/* Takes the changes of keys that the section does not have. */
void mh_change_rest(struct mh_loader *l);

/* value.c: takes the text into the field; returns whether the key's effect is now in force. */
bool mh_value_take(struct mh_loader *l, const struct mh_key_row *key, void *field, char *text);

/* words.c: values that are lists. */
bool mh_words_calls(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_peers(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_addresses(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_paths(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_globs(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_errors(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_faults(struct mh_loader *l, const struct mh_key_row *key, char *text);

/* places.c: values that say where in the program. */
bool mh_words_stacks(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_callers(struct mh_loader *l, const struct mh_key_row *key, char *text);
bool mh_words_operations(struct mh_loader *l, const struct mh_key_row *key, char *text);

/* abort.c: conditions that end the faults. */
bool mh_words_aborts(struct mh_loader *l, const struct mh_key_row *key, char *text);

/* words.c: are the commas of this line of a list in their places? Complains when not. */
bool mh_word_commas(struct mh_loader *l, const struct mh_key_row *k, const char *text);
/* The next word before any of `ends`, cut out, NULL at the end; is there room for one more
 * than n; a glob of at most MH_PATTERN_SIZE - 1 letters, copied with `before` in front. */
char *mh_word_next(char **at, const char *ends);
bool mh_word_room(struct mh_loader *l, const struct mh_key_row *k, const char *word, unsigned n);
bool mh_word_take(struct mh_loader *l, const struct mh_key_row *k, const char *before,
                  const char *word, char *ret);

/* pattern.c: one word of `peer =`; on failure says why in *why and returns -EINVAL. */
int mh_peer_pattern_parse(const char *word, struct mh_peer_pattern *ret, struct mh_buf *why);

/* check.c: what only a whole section, or all of them, can show. */
void mh_check_fault(struct mh_loader *l);
void mh_check_run(struct mh_loader *l);
/* Can an operation of this kind have a peer, a path, a connection that lasts? */
bool mh_op_has_peer(unsigned op);
bool mh_op_has_path(unsigned op);
bool mh_op_has_connection(unsigned op);
