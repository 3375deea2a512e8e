/* SPDX-License-Identifier: Apache-2.0 */
/* The capture: see stack.h. What is seen a second time costs one walk and one look-up. */
#include "python/stack.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/sys.h"
#include "event/write.h"
#include "python/frame.h"
#include "python/greenlet.h"
#include "python/lineage.h"
#include "python/name.h"
#include "python/outcome.h"
#include "python/prove.h"
#include "python/python.h"
#include "python/work.h"

#include "base/banned.h"

enum {
    KEPT = 96,          /* frames in a record and in its identity */
    DEEPEST = 1000,     /* frames walked to find the task */
    SITE_FRAMES = 5,    /* the innermost application frame and its callers */
    STACKS = 1 << 14,   /* distinct stacks in one recording */
    SLOTS = STACKS * 2, /* of the index: at most half full */
    TEXT = 32 << 10,    /* the longest record */
    NOTE_STACKS = 1,    /* value of MH_NOTE_table_full */
};

/* A stack is entered once, whole, and published by the one store of its id into the index: whoever
 * loses a race has written a second record of the same stack, which does no harm. */
struct stack_table {
    _Atomic uint32_t index[SLOTS];
    struct {
        uint64_t key, site, faults[MH_PLACE_WORDS];
        struct mh_work work;
    } stacks[STACKS + 1];
};

static struct {
    _Atomic(struct stack_table *) table;
    _Atomic uint32_t next;
    atomic_bool full_said, unknown_said;
} stacks = {.next = 1};

struct mh_place_asks mh_place_asks;

struct walk {
    const char *first; /* innermost frame */
    uint64_t key;
    struct mh_frame root;   /* outermost coroutine, .code NULL when none */
    struct mh_frame caller; /* the Python frame that called it */
    const char *outermost;  /* code of the last Python frame */
    int frames;             /* Python frames of the key */
    bool cut;
};

void mh_stack_reset(void)
{
    struct stack_table *table = atomic_exchange(&stacks.table, NULL);

    if (table)
        mh_sys(SYS_munmap, table, sizeof(*table));
    atomic_store(&stacks.next, 1);
    atomic_store(&stacks.full_said, false);
    atomic_store(&stacks.unknown_said, false);
    mh_name_reset();
}

static struct stack_table *table_get(void)
{
    struct stack_table *have = atomic_load_explicit(&stacks.table, memory_order_acquire), *mine;
    long p;

    if (MH_LIKELY(have))
        return have;
    p = mh_sys(SYS_mmap, 0, sizeof(*mine), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
               0);
    if (p < 0 && p > -4096)
        return NULL;
    mine = (struct stack_table *)p;
    if (atomic_compare_exchange_strong(&stacks.table, &have, mine))
        return mine;
    mh_sys(SYS_munmap, mine, sizeof(*mine));
    return have;
}

/* What tells this frame from any other, also from one whose code object was freed and replaced by
 * another at the same address: the name's hash is of its text. Bare products, joined by the
 * caller's one dependent step, let the processor look at several frames at once. */
static inline uint64_t frame_key(const struct mh_frame *f)
{
    const struct mh_layout *at = &mh_py.at;
    const char *name = MH_AT(char *, f->code, at->co_name);

    return ((uintptr_t)f->code * 0x9e3779b97f4a7c15u) ^ (f->instr * 0xd6e8feb86659fd93u) ^
           ((uintptr_t)MH_AT(char *, f->code, at->co_filename) * 0xff51afd7ed558ccdu) ^
           ((uintptr_t)MH_AT(char *, f->code, at->co_lines) * 0xc4ceb9fe1a85ec53u) ^
           MH_AT(uint64_t, name, at->us_hash) ^
           ((uint64_t)MH_AT(uint32_t, f->code, at->co_firstline) << 32);
}

static void walk_stack(const char *ts, struct walk *w)
{
    const struct mh_layout *at = &mh_py.at;
    const char *frame = mh_frame_first(ts);
    struct mh_frame f;

    *w = (struct walk){.first = frame, .key = MH_HASH_START};
    for (int i = 0; frame && i < DEEPEST; i++, frame = mh_frame_back(frame)) {
        mh_frame_load(frame, &f);
        if (!f.code)
            continue;
        if (MH_LIKELY(w->frames < KEPT)) {
            w->key = ((w->key << 7 | w->key >> 57) ^ frame_key(&f)) * 0xbf58476d1ce4e5b9u;
            w->frames++;
        } else {
            w->cut = true;
        }
        if (MH_AT(uint32_t, f.code, at->co_flags) & MH_CO_COROUTINE) {
            w->root = f;
            w->caller.code = NULL;
        } else if (!w->caller.code) {
            w->caller = f;
        }
        w->outermost = f.code;
    }
    w->cut = w->cut || frame;
    w->key = mh_mix(w->key + w->cut) | 1;
}

/* The site: qualified name and last part of the file's path of the innermost frame of the
 * application and its callers; without one, of the innermost frames there are. Texts only: the same
 * in every run and on every machine. */
static uint64_t site_of(const char *first, int most)
{
    uint64_t site[2] = {MH_HASH_START, MH_HASH_START};
    int taken[2] = {0};
    const char *frame = first;
    struct mh_frame f;

    for (; frame && most > 0 && taken[0] < SITE_FRAMES; frame = mh_frame_back(frame)) {
        MH_BUF(file, MH_FILE_MAX * 4 + 1);
        MH_BUF(name, MH_NAME_MAX * 5 + 1);
        const char *base;

        mh_frame_load(frame, &f);
        if (!f.code)
            continue;
        most--;
        mh_str_add(&file, MH_AT(char *, f.code, mh_py.at.co_filename), MH_FILE_MAX, true);
        mh_code_add_name(&name, f.code, frame);
        base = strrchr(file.data, '/');
        base = base ? base + 1 : file.data;
        for (int app = 0; app < 2; app++) {
            if (taken[app] == SITE_FRAMES || (app == 0 && !taken[0] && mh_file_foreign(file.data)))
                continue;
            site[app] = mh_hash_text(mh_hash_text(site[app], name.data) * 31, base);
            taken[app]++;
        }
    }
    return mh_mix(taken[0] ? site[0] : site[1]) | 1;
}

/* Writes the record. The text is built in memory of its own: a thread's stack may be small. */
static bool record_write(const struct walk *w, uint32_t id, uint64_t ret_faults[MH_PLACE_WORDS])
{
    long p = mh_sys(SYS_mmap, 0, TEXT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct mh_buf b = {(char *)p, TEXT - 512, 0, false};
    const char *frame = w->first;
    int kept = 0;
    struct mh_frame f;
    bool ok;

    if (p < 0 && p > -4096)
        return false;
    for (; frame && kept < w->frames; frame = mh_frame_back(frame)) {
        size_t before = b.len;

        mh_frame_load(frame, &f);
        if (!f.code)
            continue;
        mh_code_add(&b, f.code, frame);
        mh_buf_add_int(&b, mh_code_line(f.code, mh_frame_offset(&f)));
        mh_buf_add_char(&b, '\n');
        if (b.cut) {
            b.len = before;
            break;
        }
        kept++;
    }
    b.size = TEXT;
    if (mh_place_asks.stack)
        mh_place_asks.stack(b.data, b.len, ret_faults);
    if (w->root.code) {
        mh_buf_add(&b, "task\t");
        mh_code_add_name(&b, w->root.code, w->root.frame);
        mh_buf_add_char(&b, '\n');
    }
    ok = mh_event(stack, b.data, b.len, .stack = id, .frames = kept,
                  .cut = w->cut || kept < w->frames);
    mh_sys(SYS_munmap, p, TEXT);
    return ok;
}

/* Id of a stack that was written before; 0 when it is new. *ret_slot is where it would go. */
static uint32_t stack_lookup(struct stack_table *table, uint64_t key, uint32_t *ret_slot)
{
    uint32_t slot = (uint32_t)(key >> 32) % SLOTS;

    for (;; slot = (slot + 1) % SLOTS) {
        uint32_t id = atomic_load_explicit(&table->index[slot], memory_order_acquire);

        *ret_slot = slot;
        if (!id || table->stacks[id].key == key)
            return id;
    }
}

/* First sight of a stack: decoded, written, entered. */
static uint32_t stack_enter(struct stack_table *table, const struct walk *w, uint32_t slot,
                            uint64_t *ret_site)
{
    struct mh_work found = mh_work_find(w->first, w->frames);
    uint32_t id, none;

    *ret_site = site_of(w->first, w->frames);
    if (atomic_load(&stacks.next) <= STACKS) {
        id = atomic_fetch_add(&stacks.next, 1);
        if (id <= STACKS) {
            if (!record_write(w, id, table->stacks[id].faults))
                return 0;
            table->stacks[id].key = w->key;
            table->stacks[id].site = *ret_site;
            table->stacks[id].work = found;
            do {
                none = 0;
                if (atomic_compare_exchange_strong(&table->index[slot], &none, id))
                    return id;
            } while (!stack_lookup(table, w->key, &slot));
            return id;
        }
    }
    if (!atomic_exchange(&stacks.full_said, true))
        mh_note(MH_NOTE_table_full, NOTE_STACKS, false,
                "too many different stacks: no more of them");
    return 0;
}

/* An interpreter is here, but not one of the table. */
static void unknown_say(void)
{
    if (mh_py.hex && mh_writer_ok() && !atomic_exchange(&stacks.unknown_said, true))
        mh_note(MH_NOTE_no_stacks, mh_py.hex, true,
                "this version or build of Python is not known: no stacks, no outcomes");
}

const char *mh_stack_thread(void)
{
    const char *ts;

    if (MH_UNLIKELY(!mh_py.found)) {
        unknown_say();
        return NULL;
    }
    if (!mh_writer_ok() || mh_py.finalizing())
        return NULL;
    ts = mh_py.PyGILState_GetThisThreadState();
    return ts && mh_layout_proved(ts) ? ts : NULL;
}

uint64_t mh_stack_task(const char *ts)
{
    struct mh_frame f, root = {0};
    const char *frame = mh_frame_first(ts);

    for (int i = 0; frame && i < DEEPEST; i++, frame = mh_frame_back(frame)) {
        mh_frame_load(frame, &f);
        if (f.code && (MH_AT(uint32_t, f.code, mh_py.at.co_flags) & MH_CO_COROUTINE))
            root = f;
    }
    return root.code ? (uintptr_t)mh_frame_coroutine(&root) : mh_greenlet_here();
}

static void in_greenlet(struct mh_place *place, const struct walk *w)
{
    place->task = mh_greenlet_here();
    place->kind = MH_GREENLET_KIND;
    if (!w->cut)
        mh_name_greenlet(place->task, w->outermost);
}

static void place_in_python(struct mh_place *ret)
{
    const char *ts = mh_stack_thread();
    struct stack_table *table;
    struct walk w;
    uint32_t slot;

    if (!ts)
        return;
    mh_outcome_pass(ts);
    walk_stack(ts, &w);
    table = w.frames ? table_get() : NULL;
    if (!table)
        return;
    ret->task = w.root.code ? (uintptr_t)mh_frame_coroutine(&w.root) : 0;
    ret->kind = (uintptr_t)w.root.code;
    if (ret->task && w.caller.code)
        mh_name_task((const char *)ret->task, &w.caller);
    else if (MH_UNLIKELY(!ret->task && mh_greenlet_here()))
        in_greenlet(ret, &w);
    mh_lineage_pass(ret->task);
    mh_name_thread();
    ret->stack = stack_lookup(table, w.key, &slot);
    if (MH_LIKELY(ret->stack))
        ret->site = table->stacks[ret->stack].site;
    else
        ret->stack = stack_enter(table, &w, slot, &ret->site);
    if (MH_UNLIKELY(ret->stack && table->stacks[ret->stack].work.row))
        ret->unit = mh_work_unit(w.first, table->stacks[ret->stack].work, ret->stack);
    if (ret->stack)
        memcpy(ret->stack_faults, table->stacks[ret->stack].faults, sizeof(ret->stack_faults));
}

void mh_python_place(struct mh_place *ret)
{
    *ret = (struct mh_place){0};
    place_in_python(ret);
    if (MH_UNLIKELY(mh_place_asks.here != NULL))
        mh_place_asks.here(ret);
}
