/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a recording: the reader takes what is sound or refuses, printers print it, model and
 * grader make of it what they can. Nothing may crash, hang or grow without bound. */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macros.h"
#include "event/read.h"
#include "event_line.h"
#include "grade/grade.h"
#include "model/model.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* What is written by hand is what jansson reads, and what it would write; no field is left out. */
static void as_jansson(const struct mh_record *record, const struct mh_put *line)
{
    json_error_t error;
    json_t *value =
        json_loadb(line->data, line->len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    must(text != NULL, "JSON is read again");
    for (unsigned i = 0; i < record->nfields && mh_event_field(record->type, i); i++)
        must(json_integer_value(json_object_get(value, mh_event_field(record->type, i))) ==
                 record->fields[i],
             "every field is there");
    must(strlen(text) == line->len && !memcmp(text, line->data, line->len), "it is jansson's JSON");
    json_decref(value);
    free(text);
}

static void print_all(const char *path, size_t size)
{
    struct mh_names names = {0};
    struct mh_reader *reader;
    struct mh_record record;
    struct mh_put out = {0};
    int r = mh_reader_open(path, &reader);

    must(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT, "a file is read, damaged or of others");
    while (r == 0 && mh_reader_next(reader, &record) > 0) {
        struct mh_line line = {&record, mh_reader_header(reader), record.at, record.at};

        must(record.tail_len <= size && record.nfields * sizeof(int64_t) <= size, "lengths fit");
        must(mh_names_learn(&names, &record) == 0, "names are learnt");
        out.len = 0;
        must(mh_line_text(&out, &line, &names) == 0, "text is printed");
        out.len = 0;
        must(mh_line_json(&out, &line, &names) == 0, "JSON is printed");
        as_jansson(&record, &out);
    }
    if (r == 0) {
        must(mh_reader_events(reader) <= size / 32, "records do not overlap");
        mh_reader_free(reader);
    }
    mh_names_done(&names);
    mh_put_done(&out);
}

static void grade_all(const char *path)
{
    const struct mh_grade_options options = {.run_id = "fuzz"};
    json_t *document = NULL;
    struct mh_model *model;
    int r = mh_model_load(&path, 1, NULL, &model);

    must(r == 0 || r == -EBADMSG, "a model is made, or there is nothing to read");
    if (r)
        return;
    must(mh_grade(model, &options, &document) == 0, "it is graded");
    json_decref(document);
    mh_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_close_ int fd = memfd_create("recording", MFD_CLOEXEC);
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "a file in memory is written");
    print_all(path, size);
    grade_all(path);
    return 0;
}
