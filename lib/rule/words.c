/* SPDX-License-Identifier: Apache-2.0 */
/* Values of keys that are lists of words; each may come in several calls, one a line. A wrong word
 * is told and left out, the others are taken; see loader.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/errname.h"
#include "base/num.h"
#include "rule/loader.h"

#include "base/banned.h"

/* The next word before any of `ends`, cut out; NULL at the end. */
char *mh_word_next(char **at, const char *ends)
{
    char *word = *at + strspn(*at, ends);

    if (!*word)
        return NULL;
    *at = word + strcspn(word, ends);
    if (**at)
        *(*at)++ = '\0';
    return word;
}

bool mh_word_room(struct mh_loader *l, const struct mh_key_row *k, const char *word, unsigned n)
{
    if (n < k->most)
        return true;
    mh_complain_value(l, k, word, "it is one too many; at most %u", (unsigned)k->most);
    return false;
}

bool mh_word_commas(struct mh_loader *l, const struct mh_key_row *k, const char *text)
{
    bool after_item = l->continued && l->comma_key == k && !l->comma_line, any = false;

    for (const char *p = text; *p; p++) {
        if (*p == ' ' || *p == '\t')
            continue;
        if (*p == ',' && !after_item) {
            mh_complain_value(l, k, text,
                              !text[strspn(text, " \t,")] ? "there is nothing in it"
                              : any ? "there is nothing between two of its commas"
                                    : "there is nothing before its first comma");
            l->comma_line = 0;
            return false;
        }
        after_item = *p != ',';
        any = true;
    }
    l->comma_key = k;
    l->comma_line = after_item ? 0 : l->line;
    return true;
}

/* Lists in which a comma would be a part of the word. */
static bool without_comma(struct mh_loader *l, const struct mh_key_row *k, const char *word)
{
    if (!strchr(word, ','))
        return true;
    mh_complain_value(l, k, word,
                      "between them stand blanks, no commas; one in a name is matched by '?'");
    return false;
}

static void unknown_call(struct mh_loader *l, const struct mh_key_row *k, const char *word)
{
    struct mh_nearest near = {word, NULL, 0};
    MH_BUF(hint, 100);

    for (unsigned i = 0; i < MH_CALL_COUNT; i++)
        if (!strcmp(mh_call_rows[i].name, word)) {
            mh_complain_value(l, k, word,
                              "no fault can happen to it by itself; name what it serves, "
                              "such as recv, send, accept, connect or open");
            return;
        }
    for (unsigned i = 1; i < MH_OP_COUNT; i++) {
        mh_nearest_try(&near, mh_op_rows[i].name);
        mh_nearest_try(&near, mh_op_rows[i].group);
    }
    mh_nearest_try(&near, "net");
    mh_nearest_try(&near, "file");
    for (unsigned i = 0; i < MH_CALL_COUNT; i++)
        if (mh_call_rows[i].op != MH_OP_none)
            mh_nearest_try(&near, mh_call_rows[i].name);
    mh_nearest_say(&near, &hint, MH_DID_YOU_MEAN, "");
    mh_complain_value(l, k, word, "unknown call%s", hint.data);
}

bool mh_words_calls(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    for (char *word; (word = mh_word_next(&text, " \t,"));) {
        uint64_t ops = mh_ops_named(word);
        struct mh_buf b;

        if (!ops) {
            unknown_call(l, k, word);
            continue;
        }
        if (!mh_word_room(l, k, word, l->ncalls))
            break;
        b = (struct mh_buf){l->calls[l->ncalls].word, MH_NAME_SIZE, 0, false};
        mh_buf_add(&b, word);
        l->calls[l->ncalls++].ops = ops;
        l->fault->ops |= ops;
    }
    return true;
}

bool mh_words_peers(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    struct mh_fault *f = l->fault;

    for (char *word; (word = mh_word_next(&text, " \t,"));) {
        MH_BUF(why, 160);

        if (!mh_word_room(l, k, word, f->npeers))
            break;
        if (mh_peer_pattern_parse(word, &f->peers[f->npeers], &why) < 0)
            mh_complain_value(l, k, word, "%s", why.data);
        else
            f->npeers++;
    }
    return true;
}

bool mh_words_addresses(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    struct mh_fault *f = l->fault;

    for (char *word; (word = mh_word_next(&text, " \t,"));) {
        struct mh_address a = {.family = strchr(word, ':') ? AF_INET6 : AF_INET};

        if (!mh_word_room(l, k, word, f->naddresses))
            break;
        if (inet_pton(a.family, word, a.addr) != 1)
            mh_complain_value(l, k, word, "it is not an address");
        else
            f->addresses[f->naddresses++] = a;
    }
    return true;
}

/* Copies a glob of at most MH_PATTERN_SIZE - 1 letters, with `before` in front. */
bool mh_word_take(struct mh_loader *l, const struct mh_key_row *k, const char *before,
                  const char *word, char *ret)
{
    struct mh_buf b = {ret, MH_PATTERN_SIZE, 0, false};

    mh_buf_add(&b, before);
    mh_buf_add(&b, word);
    if (b.cut)
        mh_complain_value(l, k, word, "it is too long; at most %u characters",
                          MH_PATTERN_SIZE - 1 - (unsigned)strlen(before));
    return !b.cut;
}

bool mh_words_paths(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    struct mh_fault *f = l->fault;

    for (char *word; (word = mh_word_next(&text, " \t"));) {
        bool anywhere = word[0] != '/' && strncmp(word, "**", 2) != 0;

        if (!mh_word_room(l, k, word, f->npaths))
            break;
        if (word[0] == '~')
            mh_complain_value(l, k, word, "'~' is not expanded; write the whole path");
        else if (without_comma(l, k, word) &&
                 mh_word_take(l, k, anywhere ? "**/" : "", word, f->paths[f->npaths]))
            f->npaths++;
    }
    return true;
}

bool mh_words_globs(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    bool run = k->section == MH_SECTION_run;
    unsigned *n = run ? &l->rules->nprocesses : &l->fault->nprocesses;

    for (char *word; (word = mh_word_next(&text, " \t"));) {
        if (!mh_word_room(l, k, word, *n))
            break;
        if (without_comma(l, k, word) &&
            mh_word_take(l, k, "", word, run ? l->rules->processes[*n] : l->fault->processes[*n]))
            ++*n;
    }
    return true;
}

static void unknown_errno(struct mh_loader *l, const struct mh_key_row *k, const char *name)
{
    struct mh_nearest near = {name, NULL, 0};
    const char *candidate;
    MH_BUF(hint, 64);
    uint64_t number;

    if (mh_num_uint(name, &number) == 0 && number < 4096 && mh_errno_name((int)number)) {
        mh_complain_value(l, k, name, "write the name: %s", mh_errno_name((int)number));
        return;
    }
    for (unsigned i = 0; (candidate = mh_errno_at(i)); i++)
        mh_nearest_try(&near, candidate);
    for (unsigned i = 0; (candidate = mh_eai_at(i)); i++)
        mh_nearest_try(&near, candidate);
    mh_nearest_say(&near, &hint, MH_DID_YOU_MEAN, "");
    mh_complain_value(l, k, name, "unknown errno%s", hint.data);
}

/* One item of the list: "ETIMEDOUT" or "ETIMEDOUT 3". */
static void take_error(struct mh_loader *l, const struct mh_key_row *k, char *item)
{
    struct mh_fault *f = l->fault;
    char *rest = item, *name = mh_word_next(&rest, " \t"), *weight = mh_word_next(&rest, " \t");
    uint64_t n = 1;
    int number, r = 0;

    if (!name || !mh_word_room(l, k, name, f->nerrors))
        return;
    number = mh_errno_number(name);
    if (number <= 0)
        number = mh_eai_number(name);
    if (!number) {
        unknown_errno(l, k, name);
        return;
    }
    if (weight)
        r = mh_num_uint(weight, &n);
    if (r < 0 || n < 1 || n > 1000000) {
        bool word = weight[0] >= 'A' && weight[0] <= 'z';

        mh_complain_value(l, k, weight,
                          word ? "after %s comes a weight; errnos have commas between"
                               : "the weight of %s is not a whole number from 1 to 1000000",
                          name);
        return;
    }
    if (mh_word_next(&rest, " \t")) {
        mh_complain_value(l, k, name, "after its weight comes a comma");
        return;
    }
    for (unsigned i = 0; i < f->nerrors; i++)
        if (f->errors[i].number == number) {
            mh_complain_value(l, k, name, "it is in the list twice");
            return;
        }
    f->errors[f->nerrors].number = number;
    f->errors[f->nerrors++].weight = (uint32_t)n;
}

bool mh_words_errors(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    for (char *item; (item = mh_word_next(&text, ","));)
        take_error(l, k, item);
    return l->fault->nerrors > 0;
}

bool mh_words_faults(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    for (char *word; (word = mh_word_next(&text, " \t,"));) {
        struct mh_nearest near = {word, NULL, 0};
        MH_BUF(hint, 100);
        unsigned i = 0;

        while (i < l->rules->nfaults && strcmp(l->rules->faults[i].name, word) != 0)
            mh_nearest_try(&near, l->rules->faults[i++].name);
        if (i == l->rules->nfaults) {
            if (l->unread)
                continue;
            mh_nearest_say(&near, &hint, MH_DID_YOU_MEAN, "");
            mh_complain_value(l, k, word, "there is no [fault %s]%s", word, hint.data);
        } else if (l->phase->faults[i / 64] & UINT64_C(1) << i % 64) {
            mh_complain_value(l, k, word, "it is listed twice");
        } else {
            l->phase->faults[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
    return true;
}
