/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of tasks; see work.h. A small table knows the runs seen last: when one of them was
 * forgotten, its begin is recorded once more, under another number, which the reader can tell by
 * the id. */
#include "python/work.h"

#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "python/frame.h"
#include "python/python.h"
#include "python/stack.h"

#include "base/banned.h"

enum {
    SLOTS = 512,
    TRIES = 8,
    ID_MAX = 64,
    NAME = 128,
    FRAMES = 100,
    FIRST = 1 << 30, /* requests are counted from 1 */
};

static const struct row {
    const char *framework, *file, *function;
    int name, id, run;
} rows[] = {
#define WORK(framework, file, function, name, id, run) {framework, file, function, name, id, run},
#include "python/works.def"
};

static const struct over {
    const char *file, *function;
} overs[] = {
#define OVER(file, function) {file, function},
#include "python/works.def"
};

static const char *const pipe_makers[] = {
#define JOBS(file) file,
#include "python/works.def"
};

/* A run that was seen. `exact`: its begin came by a pipe, so it lasts until the next one's.
 * `over`: a call was made that is made when its work is done. */
struct run {
    uint64_t id, run;
    int64_t unit;
    bool exact, over;
    char name[NAME];
};

static struct {
    atomic_flag busy;
    struct run runs[SLOTS];
    unsigned next; /* slot to give up when there is no room */
    int64_t count;
    _Atomic int64_t job; /* unit of the job that came by a pipe, until its result left */
} work = {.busy = ATOMIC_FLAG_INIT};

void mh_work_reset(void)
{
    atomic_flag_clear(&work.busy);
    memset(work.runs, 0, sizeof(work.runs));
    work.count = 0;
    atomic_store(&work.job, 0);
}

static bool ends_with(const struct mh_buf *b, const char *end)
{
    size_t n = strlen(end);

    return b->len >= n && !memcmp(b->data + b->len - n, end, n);
}

static bool code_file_is(const char *code, const char *end)
{
    MH_BUF(file, 64);

    return mh_str_add(&file, MH_AT(char *, code, mh_py.at.co_filename), 60, true) &&
           ends_with(&file, end);
}

static int row_of(const char *code)
{
    MH_BUF(name, 32);

    if (!mh_str_add(&name, MH_AT(char *, code, mh_py.at.co_name), 31, false))
        return 0;
    for (int i = 0; i < (int)ARRAY_SIZE(rows); i++)
        if (!strcmp(name.data, rows[i].function) && code_file_is(code, rows[i].file))
            return i + 1;
    return 0;
}

static bool is_over(const char *code)
{
    MH_BUF(name, 32);

    if (!mh_str_add(&name, MH_AT(char *, code, mh_py.at.co_name), 31, false))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(overs); i++)
        if (!strcmp(name.data, overs[i].function) && code_file_is(code, overs[i].file))
            return true;
    return false;
}

struct mh_work mh_work_find(const char *first, int frames)
{
    struct mh_work ret = {0, 0, false};
    struct mh_frame f;
    bool over = false;

    for (int i = 0; i < frames && mh_frame_find(first, &f); i++) {
        int row = row_of(f.code);

        over = over || is_over(f.code);
        if (row)
            ret = (struct mh_work){(uint8_t)row, (uint8_t)i, over};
        first = mh_frame_back(f.frame);
    }
    return ret;
}

/* Names and ids are short words; anything else is not what we take it for. */
static bool word_add(struct mh_buf *b, const char *str)
{
    size_t from = b->len;

    if (!str || mh_py_type(str) != mh_py.str_type ||
        MH_AT(int64_t, str, mh_py.at.us_length) > MH_NAME_MAX ||
        !mh_str_add(b, str, MH_NAME_MAX, false) || b->cut)
        return false;
    for (size_t i = from; i < b->len; i++)
        if (b->data[i] <= ' ' || b->data[i] == 0x7f)
            return false;
    return b->len > from;
}

/* The slot of this id, or one for it. Under the flag. */
static struct run *slot_of(uint64_t id)
{
    struct run *free_slot = NULL;

    for (unsigned i = 0; i < TRIES; i++) {
        struct run *r = &work.runs[(id + i) % SLOTS];

        if (r->id == id)
            return r;
        if (!r->id && !free_slot)
            free_slot = r;
    }
    return free_slot ? free_slot : &work.runs[(id + work.next++ % TRIES) % SLOTS];
}

static bool enter(void)
{
    for (int i = 0; i < 1000; i++)
        if (!atomic_flag_test_and_set_explicit(&work.busy, memory_order_acquire))
            return true;
    return false; /* a signal handler, or a fork, found it taken */
}

/* Finds or makes the unit; *ret_new says which. `over`: this call is made when the work is done. */
static int64_t unit_of(uint64_t id, uint64_t run, bool exact, bool over, const char *name,
                       bool *ret_new)
{
    struct run *r;
    int64_t unit;

    if (!enter())
        return 0;
    r = slot_of(id);
    *ret_new = exact || r->id != id || !(r->exact || (r->run == run && (over || !r->over)));
    if (*ret_new) {
        struct mh_buf b = {r->name, sizeof(r->name), 0, false};

        *r = (struct run){id, run, FIRST + ++work.count, exact, false, ""};
        mh_buf_add_n(&b, name, strcspn(name, "\n"));
    }
    r->over = over;
    unit = r->unit;
    atomic_flag_clear_explicit(&work.busy, memory_order_release);
    return unit;
}

/* What its frame says of a run: appends framework, name and id; false: not to be told. */
static bool run_read(const char *first, struct mh_work w, struct mh_buf *text, uint64_t *ret_id,
                     uint64_t *ret_run)
{
    const struct row *row = &rows[w.row - 1];
    struct mh_frame f;
    size_t at;

    for (int i = 0; i <= w.depth; i++) {
        if (!mh_frame_find(first, &f))
            return false;
        first = mh_frame_back(f.frame);
    }
    mh_buf_add(text, row->framework);
    mh_buf_add_char(text, '\n');
    if (row->name >= 0 && !word_add(text, mh_frame_local(&f, row->name)))
        return false;
    mh_buf_add_char(text, '\n');
    at = text->len;
    if (row->id >= 0 && !word_add(text, mh_frame_local(&f, row->id)))
        return false;
    *ret_run = (uintptr_t)mh_frame_local(&f, row->run);
    *ret_id = (text->len > at ? mh_hash_bytes(MH_HASH_START, text->data + at, text->len - at)
                              : mh_mix2(*ret_run, (uint64_t)mh_sys_gettid())) |
              1;
    return true;
}

int64_t mh_work_here(const char *first)
{
    MH_BUF(text, MH_NAME_MAX + ID_MAX + 40);
    struct mh_work w = work.count ? mh_work_find(first, FRAMES) : (struct mh_work){0, 0};
    uint64_t id, run;
    struct run *r;
    int64_t unit = 0;

    if (!w.row || !run_read(first, w, &text, &id, &run) || !enter())
        return 0;
    r = slot_of(id);
    if (r->id == id && (r->exact || r->run == run))
        unit = r->unit;
    atomic_flag_clear_explicit(&work.busy, memory_order_release);
    return unit;
}

int64_t mh_work_unit(const char *first, struct mh_work w, uint32_t stack)
{
    const struct row *row = &rows[w.row - 1];
    MH_BUF(text, MH_NAME_MAX + ID_MAX + 40);
    uint64_t id, run;
    bool fresh;
    int64_t unit;

    if (!run_read(first, w, &text, &id, &run))
        return 0;
    unit = unit_of(id, run, false, w.over, text.data + strlen(row->framework) + 1, &fresh);
    if (unit && fresh)
        mh_event(task_begin, text.data, text.len, .unit = unit, .stack = stack);
    return unit;
}

const char *mh_python_unit_name(int64_t unit)
{
    for (unsigned i = 0; unit && i < SLOTS; i++)
        if (work.runs[i].unit == unit)
            return work.runs[i].name;
    return "";
}

bool mh_python_makes_jobs(void)
{
    const char *ts = mh_stack_thread(), *frame = ts ? mh_frame_first(ts) : NULL;
    struct mh_frame f;

    for (int i = 0; i < 100 && mh_frame_find(frame, &f); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(pipe_makers); k++)
            if (code_file_is(f.code, pipe_makers[k]))
                return true;
        frame = mh_frame_back(f.frame);
    }
    return false;
}

void mh_python_job_begun(const char *framework, const char *name, const char *id)
{
    MH_BUF(text, MH_NAME_MAX + ID_MAX + 40);
    bool fresh;
    int64_t unit =
        unit_of(mh_hash_bytes(MH_HASH_START, id, strlen(id)) | 1, 0, true, false, name, &fresh);

    if (!unit)
        return;
    mh_buf_add(&text, framework);
    mh_buf_add_char(&text, '\n');
    mh_buf_add(&text, name);
    mh_buf_add_char(&text, '\n');
    mh_buf_add(&text, id);
    mh_event(task_begin, text.data, text.len, .unit = unit, .exact = 1);
    atomic_store(&work.job, unit);
}

void mh_python_job_ended(int state, const char *exception)
{
    int64_t unit = atomic_exchange(&work.job, 0);

    if (unit)
        mh_event(task_end, exception, strlen(exception), .unit = unit, .state = state);
}
