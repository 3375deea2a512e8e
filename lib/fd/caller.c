/* SPDX-License-Identifier: Apache-2.0 */
/* See caller.h. Each place of a program that calls is looked up once, in /proc/self/maps, and then
 * remembered with the faults that ask for it: a program has hundreds of them, not millions. */
#include "fd/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/guest.h"
#include "fd/serving.h"

#include "base/banned.h"

_Static_assert((int)MH_PLACE_WORDS == (int)MH_FAULT_WORDS, "a place has a set of faults");

enum { CALLERS = 2048, PROBES = 16, BUSY = 1, LINE = 640, CHUNK = 1024 };

/* An entry is claimed, filled, and published by its address, so that neither a signal nor a fork
 * can leave anybody waiting: what is not there yet is looked up again. */
static struct {
    _Atomic uintptr_t address; /* 0 free, BUSY being filled */
    uint64_t faults[MH_PLACE_WORDS];
} callers[CALLERS];

static uintptr_t hex(const char **p)
{
    uintptr_t n = 0;

    for (;; ++*p) {
        char c = **p;

        if (c >= '0' && c <= '9')
            n = n << 4 | (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n << 4 | (uintptr_t)(c - 'a' + 10);
        else
            return n;
    }
}

/* "7f00-7f01 r-xp 00000000 08:01 42   /usr/lib/libpq.so.5.15": does it hold the address? Then its
 * path, which is empty for what is no file. */
static bool line_holds(const char *line, uintptr_t address, char *ret, size_t size)
{
    uintptr_t from = hex(&line), to;
    struct mh_buf b = {ret, size, 0, false};
    size_t n;

    line += *line == '-';
    to = hex(&line);
    if (address < from || address >= to)
        return false;
    line = strchr(line, '/');
    n = line ? strlen(line) : 0;
    if (n > 10 && !strcmp(line + n - 10, " (deleted)"))
        n -= 10;
    ret[0] = '\0';
    if (line)
        mh_buf_add_n(&b, line, n);
    return true;
}

bool mh_caller_object(const void *address, char *ret, size_t size)
{
    long fd = mh_sys(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0), n;
    char chunk[CHUNK], line[LINE];
    size_t len = 0;
    bool found = false;

    if (fd < 0)
        return false;
    while (!found && (n = mh_sys(SYS_read, fd, chunk, sizeof(chunk))) > 0)
        for (long i = 0; i < n && !found; i++) {
            if (chunk[i] != '\n') {
                if (len < sizeof(line) - 1) /* a longer path is cut: its name matches nothing */
                    line[len++] = chunk[i];
                continue;
            }
            line[len] = '\0';
            len = 0;
            found = line_holds(line, (uintptr_t)address, ret, size);
        }
    mh_sys(SYS_close, fd);
    return found && *ret;
}

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
static uintptr_t ours_end; /* of this library, or of the program that it is linked into */

static void ours_find(void)
{
    const ElfW(Ehdr) *head = (const void *)__ehdr_start;
    const ElfW(Phdr) *p = (const void *)(__ehdr_start + head->e_phoff);

    for (unsigned i = 0; i < head->e_phnum; i++)
        if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X))
            ours_end = (uintptr_t)__ehdr_start + p[i].p_vaddr + p[i].p_memsz;
}

static bool ours(uintptr_t address)
{
    return address >= (uintptr_t)__ehdr_start && address < ours_end;
}

/* Nobody can be told: said once. */
static void say_unknown(void)
{
    static atomic_bool said;

    if (!atomic_exchange(&said, true))
        mh_note(MH_NOTE_no_places, 2, true,
                "/proc/self/maps cannot be read: faults with 'caller' cannot fire");
}

static void caller_faults(uint64_t ret[MH_PLACE_WORDS])
{
    uintptr_t address = (uintptr_t)mh_thread.caller;
    unsigned at = (unsigned)(mh_mix(address) % CALLERS);
    char path[LINE];
    uint64_t faults[MH_PLACE_WORDS];

    if (!address || ours(address))
        return;
    for (unsigned i = 0; i < PROBES; i++, at = (at + 1) % CALLERS) {
        uintptr_t there = atomic_load_explicit(&callers[at].address, memory_order_acquire);

        if (there == address) {
            memcpy(ret, callers[at].faults, sizeof(faults));
            return;
        }
        if (!there)
            break;
    }
    if (!mh_caller_object(mh_thread.caller, path, sizeof(path))) {
        say_unknown();
        return;
    }
    mh_rules_match_caller(mh_guest.rules, path, faults);
    memcpy(ret, faults, sizeof(faults));
    for (unsigned i = 0; i < PROBES; i++, at = (at + 1) % CALLERS) {
        uintptr_t none = 0;

        if (atomic_compare_exchange_strong(&callers[at].address, &none, BUSY)) {
            memcpy(callers[at].faults, faults, sizeof(faults));
            atomic_store_explicit(&callers[at].address, address, memory_order_release);
            return;
        }
    }
}

static void stack_faults(const char *text, size_t len, uint64_t ret[MH_PLACE_WORDS])
{
    mh_rules_match_stack(mh_guest.rules, text, len, ret);
}

static void here(struct mh_place *place)
{
    const struct mh_rules *rules = mh_guest.rules;

    if (mh_rules_ask(rules->by_caller))
        caller_faults(place->caller_faults);
    if (mh_rules_ask(rules->by_operation))
        mh_serving_seen(place);
}

void mh_caller_init(void)
{
    const struct mh_rules *rules = mh_guest.rules;

    ours_find();
    for (unsigned i = 0; i < CALLERS; i++) /* of other rules, where these are not the first */
        callers[i].address = 0;
    mh_place_asks.stack = mh_rules_ask(rules->by_stack) ? stack_faults : NULL;
    mh_place_asks.here =
        mh_rules_ask(rules->by_caller) || mh_rules_ask(rules->by_operation) ? here : NULL;
}
