/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the program a call comes from: stacks of Python, shared objects, units of work. Pure;
 * any context may call it. A stack is compared once, when it is first seen. */
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "rule/rule.h"

#include "base/banned.h"

enum { FRAME_BYTES = 700 };

/* A frame as patterns see it: "usr.lib.python3.redis.client.Redis.get". The module is told by the
 * file. */
static void frame_set(char text[FRAME_BYTES], const char *line, size_t len)
{
    struct mh_buf b = {text, FRAME_BYTES, 0, false};
    const char *tab = memchr(line, '\t', len), *file = tab ? tab + 1 : line + len, *end;
    size_t n = tab ? (size_t)(tab - line) : len;

    end = memchr(file, '\t', (size_t)(line + len - file));
    if (!end)
        end = line + len;
    if (end - file > 8 && !strncmp(file, "<frozen ", 8) && end[-1] == '>') {
        file += 8;
        end--;
    } else if (end - file > 3 && !strncmp(end - 3, ".py", 3)) {
        end -= 3;
    }
    if (end - file > 9 && !strncmp(end - 9, "/__init__", 9))
        end -= 9;
    while (file < end && *file == '/')
        file++;
    mh_buf_add_n(&b, file, (size_t)(end - file));
    for (size_t i = 0; i < b.len; i++)
        if (text[i] == '/')
            text[i] = '.';
    mh_buf_add(&b, b.len ? "." : "");
    mh_buf_add_n(&b, line, n);
}

/* One term against one frame; what stands before any of its dots may be left out. */
static bool term_matches(const char *term, const char *frame)
{
    for (const char *at = frame; at; at = strchr(at, '.')) {
        at += *at == '.';
        if (mh_glob(term, at, false))
            return true;
    }
    return false;
}

/* Goes one frame further in. Bit n of *state: the first n terms have their frames. Bit 0 always is,
 * so the pattern may begin and end anywhere. Returns whether all terms have theirs. */
static bool pattern_step(const char *pattern, const char *frame, uint32_t *state)
{
    uint32_t next = 1;
    unsigned n = 0;
    bool gap = false;

    for (const char *p = pattern; *p; p += *p == ' ') {
        size_t len = strcspn(p, " ");
        char term[MH_PATTERN_SIZE];

        if (len == 2 && !memcmp(p, "**", 2)) {
            gap = true;
        } else {
            memcpy(term, p, len);
            term[len] = '\0';
            if (*state & UINT32_C(1) << n) {
                if (gap)
                    next |= UINT32_C(1) << n;
                if (term_matches(term, frame))
                    next |= UINT32_C(1) << (n + 1);
            }
            gap = false;
            n++;
        }
        p += len;
    }
    *state = next;
    return n && (next & UINT32_C(1) << n);
}

static bool fault_fits(const struct mh_fault *fault, const char *text, size_t len)
{
    uint32_t states[MH_MAX_PLACES];
    char frame[FRAME_BYTES];

    for (unsigned i = 0; i < fault->nstacks; i++)
        states[i] = 1;
    while (len > 0) { /* lines from the last, the outermost frame, to the first */
        const char *line;

        if (text[len - 1] == '\n')
            len--;
        line = len ? memrchr(text, '\n', len) : NULL;
        line = line ? line + 1 : text;
        frame_set(frame, line, (size_t)(text + len - line));
        len = (size_t)(line - text);
        if (frame[0])
            for (unsigned i = 0; i < fault->nstacks; i++)
                if (pattern_step(fault->stacks[i], frame, &states[i]))
                    return true;
    }
    return false;
}

void mh_rules_match_stack(const struct mh_rules *rules, const char *text, size_t len,
                          uint64_t ret[MH_FAULT_WORDS])
{
    for (unsigned w = 0; w < MH_FAULT_WORDS; w++) {
        ret[w] = 0;
        for (uint64_t set = rules->by_stack[w]; set; set &= set - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(set);

            if (fault_fits(&rules->faults[w * 64 + bit], text, len))
                ret[w] |= UINT64_C(1) << bit;
        }
    }
}

/* "libpq.so" also is libpq.so.5.15. */
static bool caller_matches(const char *pattern, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    MH_BUF(versions, MH_PATTERN_SIZE + 2);

    if (strchr(pattern, '/'))
        return mh_glob(pattern, path, true);
    mh_buf_add(&versions, pattern);
    mh_buf_add(&versions, ".*");
    return mh_glob(pattern, name, false) || mh_glob(versions.data, name, false);
}

void mh_rules_match_caller(const struct mh_rules *rules, const char *path,
                           uint64_t ret[MH_FAULT_WORDS])
{
    for (unsigned w = 0; w < MH_FAULT_WORDS; w++) {
        ret[w] = 0;
        for (uint64_t set = rules->by_caller[w]; set; set &= set - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(set);
            const struct mh_fault *f = &rules->faults[w * 64 + bit];

            for (unsigned i = 0; i < f->ncallers; i++)
                if (caller_matches(f->callers[i], path))
                    ret[w] |= UINT64_C(1) << bit;
        }
    }
}

bool mh_operation_matches(const char *pattern, const char *operation)
{
    const char *path = strchr(operation, ' ');

    /* a path alone: whatever the method */
    return mh_glob(pattern, pattern[0] == '/' && path ? path + 1 : operation, true);
}
