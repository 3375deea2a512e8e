/* SPDX-License-Identifier: Apache-2.0 */
/* Exchange of what the dynamic linker has bound; see patch.h. Each object has slots with addresses
 * of functions: those of its calls, and pointers in its data. One that holds the real function of a
 * hook, or has not been bound yet, is given our address; what was there is kept. Pages that were
 * made read-only after binding are writable for the moment. */
#include "hooks/patch.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/lock.h"
#include "base/macros.h"
#include "base/sys.h"
#include "hooks/linked.h"
#include "hooks/real.h"

#include "base/banned.h"

#if defined(__x86_64__)
enum { CALL = R_X86_64_JUMP_SLOT, ADDRESS = R_X86_64_GLOB_DAT, POINTER = R_X86_64_64 };
#elif defined(__aarch64__)
enum { CALL = R_AARCH64_JUMP_SLOT, ADDRESS = R_AARCH64_GLOB_DAT, POINTER = R_AARCH64_ABS64 };
#endif

enum { SLOTS = 1 << 16, NAMES = 512 };

static const char *const names[] = {
#define HOOK(op, ret, name, params) #name,
#include "table/hooks_here.def"
#undef HOOK
    "dlsym",
};
enum { COUNT = ARRAY_SIZE(names), DLSYM = COUNT - 1 };
_Static_assert(sizeof(mh_real) == DLSYM * sizeof(void *), "one slot of the real ones per name");
_Static_assert(COUNT * 2 < NAMES, "half of the look-up table stays empty");

struct slot {
    uintptr_t at, was;
};

static struct {
    uint32_t lock;
    bool in;
    unsigned long long adds; /* objects ever loaded, when it was looked last */
    uintptr_t ours[COUNT], real[COUNT];
    uint16_t by_name[NAMES]; /* index + 1 */
    struct slot *slots;      /* by their address; SLOTS of them */
    unsigned used;
    uintptr_t libc_from, libc_to;
} patch;

/* An object under work. */
struct object {
    struct mh_linked o;
    bool open; /* its read-only pages are writable now */
};

static int index_of(const char *name)
{
    uint64_t at = mh_hash_text(MH_HASH_START, name);

    for (;; at++) {
        unsigned i = patch.by_name[at % NAMES];

        if (!i)
            return -1;
        if (!strcmp(names[i - 1], name))
            return (int)i - 1;
    }
}

static void index_make(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t at = mh_hash_text(MH_HASH_START, names[i]);

        while (patch.by_name[at % NAMES])
            at++;
        patch.by_name[at % NAMES] = (uint16_t)(i + 1);
    }
}

static struct slot *slot_of(uintptr_t at, bool make)
{
    for (uint64_t i = mh_mix(at);; i++) {
        struct slot *s = &patch.slots[i % SLOTS];

        if (s->at == at)
            return s;
        if (s->at)
            continue;
        if (!make || patch.used >= SLOTS / 4 * 3)
            return NULL;
        patch.used++;
        s->at = at;
        return s;
    }
}

static long relro_protect(const struct mh_linked *o, int prot)
{
    return mh_sys(SYS_mprotect, o->relro_from, o->relro_to - o->relro_from, prot);
}

static void slot_write(struct object *w, uintptr_t at, uintptr_t value)
{
    if (at >= w->o.relro_from && at < w->o.relro_to && !w->open) {
        if (relro_protect(&w->o, PROT_READ | PROT_WRITE))
            return;
        w->open = true;
    }
    __atomic_store_n((uintptr_t *)at, value, __ATOMIC_RELEASE);
}

/* Is what stands there the real function; or, in an object that binds when it first calls, the way
 * to the linker? Somebody else's address is left alone. */
static bool is_real(const struct mh_linked *o, unsigned type, int name, uintptr_t value)
{
    return value == patch.real[name] || (value >= patch.libc_from && value < patch.libc_to) ||
           (type == CALL && mh_linked_holds(o, value, PF_X));
}

static void slot_exchange(struct object *w, const ElfW(Rela) * r)
{
    const struct mh_linked *o = &w->o;
    uintptr_t at = o->base + r->r_offset, value;
    unsigned type = ELF64_R_TYPE(r->r_info);
    const ElfW(Sym) *symbol = &o->symbols[ELF64_R_SYM(r->r_info)];
    struct slot *s;
    int name;

    if ((type != CALL && type != ADDRESS && type != POINTER) || !ELF64_R_SYM(r->r_info) ||
        (type == POINTER && r->r_addend) || !mh_linked_holds(o, at, PF_W))
        return;
    name = index_of(o->strings + symbol->st_name);
    if (name < 0 || !patch.ours[name])
        return;
    value = __atomic_load_n((uintptr_t *)at, __ATOMIC_RELAXED);
    if (!patch.in) {
        s = value == patch.ours[name] ? slot_of(at, false) : NULL;
        if (s)
            slot_write(w, at, s->was);
    } else if (value != patch.ours[name] && is_real(o, type, name, value)) {
        s = slot_of(at, true);
        if (s) {
            s->was = value;
            slot_write(w, at, patch.ours[name]);
        }
    }
}

static int object_exchange(struct dl_phdr_info *info, size_t size, void *unused)
{
    struct object w = {.open = false};

    (void)size;
    (void)unused;
    patch.adds = info->dlpi_adds;
    if (info->dlpi_addr && info->dlpi_addr == getauxval(AT_BASE))
        return 0; /* the linker itself */
    mh_linked_read(info, &w.o);
    for (unsigned t = 0; t < 2 && w.o.symbols && w.o.strings; t++)
        for (size_t i = 0; w.o.tables[t] && i < w.o.sizes[t] / sizeof(ElfW(Rela)); i++)
            slot_exchange(&w, &w.o.tables[t][i]);
    if (w.open)
        relro_protect(&w.o, PROT_READ);
    return 0;
}

static int adds_now(struct dl_phdr_info *info, size_t size, void *ret)
{
    (void)size;
    *(unsigned long long *)ret = info->dlpi_adds;
    return 1;
}

/* A program that has loaded an object looks up a name in it next: what came is bound to us before
 * it runs. Returns the real dlsym(), which is then jumped to: it asks who calls it. */
__attribute__((used, visibility("hidden"))) void *mh_patch_look(void);
void *mh_patch_look(void)
{
    unsigned long long adds = 0;

    if (__atomic_load_n(&patch.in, __ATOMIC_ACQUIRE)) {
        dl_iterate_phdr(adds_now, &adds);
        if (adds != __atomic_load_n(&patch.adds, __ATOMIC_RELAXED) && mh_lock_try(&patch.lock)) {
            if (patch.in)
                dl_iterate_phdr(object_exchange, NULL);
            mh_lock_open(&patch.lock);
        }
    }
    return (void *)patch.real[DLSYM];
}

void mh_patch_dlsym(void) MH_OWN;
#if defined(__x86_64__)
__asm__(".text\n"
        ".hidden mh_patch_dlsym\n"
        ".globl mh_patch_dlsym\n"
        ".type mh_patch_dlsym, @function\n"
        "mh_patch_dlsym:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    pushq %rdi\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    pushq %rsi\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    subq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    call mh_patch_look\n"
        "    addq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %rsi\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %rdi\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    jmp *%rax\n"
        "    .cfi_endproc\n"
        ".size mh_patch_dlsym, .-mh_patch_dlsym\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".hidden mh_patch_dlsym\n"
        ".globl mh_patch_dlsym\n"
        ".type mh_patch_dlsym, %function\n"
        "mh_patch_dlsym:\n"
        "    .cfi_startproc\n"
        "    stp x29, x30, [sp, #-32]!\n"
        "    stp x0, x1, [sp, #16]\n"
        "    bl mh_patch_look\n"
        "    mov x16, x0\n"
        "    ldp x0, x1, [sp, #16]\n"
        "    ldp x29, x30, [sp], #32\n"
        "    br x16\n"
        "    .cfi_endproc\n"
        ".size mh_patch_dlsym, .-mh_patch_dlsym\n");
#endif

/* Our exports, and where libc is. `libc`: an address in it. */
static int learn(struct dl_phdr_info *info, size_t size, void *libc)
{
    struct mh_linked o;

    (void)size;
    mh_linked_read(info, &o);
    if (mh_linked_holds(&o, (uintptr_t)libc, 0))
        for (int i = 0; i < o.nsegments; i++) {
            const ElfW(Phdr) *p = &o.segments[i];

            if (p->p_type != PT_LOAD)
                continue;
            if (!patch.libc_from)
                patch.libc_from = o.base + p->p_vaddr;
            patch.libc_to = o.base + p->p_vaddr + p->p_memsz;
        }
    for (unsigned i = 0; i < COUNT && mh_linked_holds(&o, (uintptr_t)&patch, 0); i++)
        patch.ours[i] = mh_linked_function(&o, names[i]);
    return 0;
}

static int prepare(void)
{
    long p;

    if (patch.slots)
        return 0;
    index_make();
    memcpy(patch.real, &mh_real, sizeof(mh_real));
    patch.real[DLSYM] = (uintptr_t)mh_real_find("dlsym");
    dl_iterate_phdr(learn, (void *)(uintptr_t)getauxval);
    if (!patch.ours[0] || !patch.real[DLSYM])
        return -ENOENT;
    patch.ours[DLSYM] = (uintptr_t)mh_patch_dlsym;
    p = mh_sys(SYS_mmap, 0, SLOTS * sizeof(*patch.slots), PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p < 0 && p > -4096)
        return (int)p;
    patch.slots = (struct slot *)p;
    return 0;
}

static void exchange_all(bool in)
{
    bool locked = mh_lock(&patch.lock);

    __atomic_store_n(&patch.in, in, __ATOMIC_RELEASE);
    dl_iterate_phdr(object_exchange, NULL);
    if (locked)
        mh_lock_open(&patch.lock);
}

int mh_patch_in(void)
{
    int r = prepare();

    if (!r)
        exchange_all(true);
    return r;
}

void mh_patch_out(void)
{
    if (patch.slots)
        exchange_all(false);
}
