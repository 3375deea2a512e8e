/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap events`: what was recorded, one line an event, all processes merged by wall time. Each
 * line is made by event_line.c; here are the arguments, the merge and the complaints about damage.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "cmd.h"
#include "event/read.h"
#include "event_line.h"
#include "files.h"
#include "log.h"
#include "put.h"

#include "base/banned.h"

struct options {
    struct mh_files files;
    const char *grep;
    bool json;
    int trouble; /* exit status of a path that could not be used, 0 none */
};

/* One recording and its next record. */
struct source {
    struct mh_reader *reader;
    struct mh_record record;
    struct mh_names names;
    const char *path;
    int64_t to_wall;
    bool more;
};

/* Used again for each line. */
struct buffers {
    struct mh_put line;
    struct mh_put low; /* the word that is looked for, and the line, both in lower case */
};

static int64_t source_wall(const struct source *s)
{
    return s->record.at + s->to_wall;
}

static int source_open(struct source *s, const char *path)
{
    const struct mh_file_header *header;
    int r = mh_reader_open(path, &s->reader);

    if (r == -EBADMSG)
        mh_log("%s is not a recording, or its head is damaged", path);
    else if (r == -EPROTONOSUPPORT)
        mh_log("%s was recorded by another version of mishap, or on another kind of machine", path);
    else if (r < 0)
        mh_log_errno(r, "Cannot read %s", path);
    if (r < 0)
        return r;
    header = mh_reader_header(s->reader);
    s->path = path;
    s->to_wall = header->started_wall - header->started_mono;
    s->more = mh_reader_next(s->reader, &s->record) > 0;
    return 0;
}

static void source_done(struct source *s)
{
    if (s->reader) {
        uint64_t holes = mh_reader_holes(s->reader), lost = mh_reader_header(s->reader)->lost;
        uint64_t sampled = mh_reader_header(s->reader)->sampled;

        if (holes)
            mh_log("%s: %" PRIu64 " events, %" PRIu64 " places cut or damaged", s->path,
                   mh_reader_events(s->reader), holes);
        if (lost)
            mh_log("%s: %" PRIu64 " events could not be kept, %" PRIu64 " of them routine ones",
                   s->path, lost, sampled);
    }
    mh_reader_free(s->reader);
    mh_names_done(&s->names);
}

static struct source *earliest(struct source *sources, size_t n)
{
    struct source *best = NULL;

    for (size_t i = 0; i < n; i++)
        if (sources[i].more && (!best || source_wall(&sources[i]) < source_wall(best)))
            best = &sources[i];
    return best;
}

static void fold(char *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)from[i];

        to[i] = (char)(c + ((unsigned char)(c - 'A') < 26 ? 'a' - 'A' : 0));
    }
}

/* Is WORD in the line, whatever its case? Letters of ASCII only. `low` holds the word in lower case
 * and then, again and again, a line: memmem() beats a search that folds as it goes. */
static bool line_has(struct mh_put *low, const char *word, const struct mh_put *line)
{
    size_t n = strlen(word);

    low->len = 0;
    if (!mh_put_room(low, n + line->len))
        return false;
    fold(low->data, word, n);
    fold(low->data + n, line->data, line->len);
    return memmem(low->data + n, line->len, low->data, n) != NULL;
}

static int print_one(const struct options *o, struct source *s, int64_t begin, struct buffers *b)
{
    struct mh_line what = {&s->record, mh_reader_header(s->reader), source_wall(s), 0};
    int r = mh_names_learn(&s->names, &s->record);

    what.since = what.wall - begin;
    b->line.len = 0;
    if (!r)
        r = o->json ? mh_line_json(&b->line, &what, &s->names)
                    : mh_line_text(&b->line, &what, &s->names);
    if (r || (o->grep && !line_has(&b->low, o->grep, &b->line)))
        return r ? r : b->low.error;
    mh_put_char(&b->line, '\n');
    if (b->line.error)
        return b->line.error;
    return fwrite(b->line.data, 1, b->line.len, stdout) < b->line.len ? -errno : 0;
}

static int print_all(const struct options *o, struct source *sources, size_t n)
{
    struct buffers b = {0};
    struct source *s = earliest(sources, n);
    int64_t begin = s ? source_wall(s) : 0;
    int r = 0;

    for (; s && !r; s = earliest(sources, n)) {
        r = print_one(o, s, begin, &b);
        s->more = mh_reader_next(s->reader, &s->record) > 0;
    }
    mh_put_done(&b.line);
    mh_put_done(&b.low);
    return r < 0 ? mh_log_errno(r, "Cannot print the events") : 0;
}

static int print_files(const struct options *o)
{
    struct source *sources = calloc(o->files.n, sizeof(*sources));
    int status = MH_EXIT_OK;

    if (!sources)
        return mh_log_errno(-ENOMEM, "Cannot read the recordings"), MH_EXIT_TROUBLE;
    for (size_t i = 0; i < o->files.n; i++)
        if (source_open(&sources[i], o->files.names[i]) < 0)
            status = MH_EXIT_TROUBLE;
    if (print_all(o, sources, o->files.n) < 0)
        status = MH_EXIT_TROUBLE;
    for (size_t i = 0; i < o->files.n; i++)
        source_done(&sources[i]);
    free(sources);
    return status;
}

static void add_path(struct options *o, const char *path)
{
    int n = mh_files_add(&o->files, path);

    if (n == -ENOENT || n == -ENOTDIR) {
        mh_log("there is no '%s'", path);
        o->trouble = MH_EXIT_MISUSE;
    } else if (n < 0) {
        mh_log_errno(n, "Cannot read '%s'", path);
        o->trouble = MH_EXIT_TROUBLE;
    } else if (!n) {
        mh_log("there is no recording (*.mhr) in '%s'", path);
        o->trouble = MH_EXIT_TROUBLE;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'j':
        o->json = true;
        return 0;
    case 'g':
        o->grep = arg;
        return 0;
    case ARGP_KEY_ARG:
        add_path(o, arg);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which recordings? name a directory that a run has written");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int mh_cmd_events(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"json", 'j', 0, 0, "One JSON object a line", 0},
        {"grep", 'g', "WORD", 0, "Only lines that hold WORD; case does not matter", 0},
        {0},
    };
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "DIR|FILE...",
        .doc = "Prints what was recorded, one line an event, all processes merged by time."
               "\vTimes are seconds since the first event. `mishap list` names calls and faults.",
    };
    struct options o = {0};
    int status;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return MH_EXIT_MISUSE;
    status = o.trouble ? o.trouble : print_files(&o);
    mh_files_done(&o.files);
    return status;
}
