/* SPDX-License-Identifier: Apache-2.0 */
/* Values of `stack`, `caller` and `operation`: what says where in the program; see loader.h. */
#include <string.h>

#include "base/macros.h"
#include "rule/loader.h"

#include "base/banned.h"

/* What is wrong with a word of a stack pattern; NULL when nothing is. */
static const char *term_fault(const char *word)
{
    if (!strcmp(word, "**"))
        return NULL;
    if (strstr(word, "**"))
        return "'**' stands between functions, with blanks around it";
    if (strchr(word, '/') || (strlen(word) > 3 && !strcmp(word + strlen(word) - 3, ".py")))
        return "it is a file; write the module with dots, such as shop.orders.*";
    if (strchr(word, ':'))
        return "module and function are joined by a dot, such as shop.orders.place";
    if (strchr(word, '('))
        return "a function is named without '('";
    return NULL;
}

/* One pattern, with single blanks between its words. */
static bool take_stack(struct mh_loader *l, const struct mh_key_row *k, char *text, char *ret)
{
    struct mh_buf b = {ret, MH_PATTERN_SIZE, 0, false};
    const char *why = NULL, *wrong = NULL, *last = "**";
    unsigned terms = 0;

    for (char *word; (word = mh_word_next(&text, " \t"));) {
        if (!wrong && (why = term_fault(word)))
            wrong = word;
        if (!wrong && !strcmp(word, "**") && !strcmp(last, "**")) {
            wrong = word;
            why = "'**' stands between two functions; before the first and after the last one any "
                  "frames may be anyway";
        }
        terms += strcmp(word, "**") != 0;
        mh_buf_add(&b, b.len ? " " : "");
        mh_buf_add(&b, word);
        last = word;
    }
    if (!wrong && !strcmp(last, "**")) {
        wrong = ret;
        why = "'**' stands between two functions; before the first and after the last one any "
              "frames may be anyway";
    }
    if (!wrong && (b.cut || terms > MH_MAX_TERMS)) {
        wrong = ret;
        why = b.cut ? "it is too long; at most 127 characters"
                    : "there are too many functions in it; at most 16";
    }
    if (wrong)
        mh_complain_value(l, k, wrong, "%s", why);
    return !wrong;
}

bool mh_words_stacks(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    struct mh_fault *f = l->fault;

    for (char *item; (item = mh_word_next(&text, ","));) {
        item += strspn(item, " \t");
        if (!*item)
            continue;
        if (!mh_word_room(l, k, item, f->nstacks))
            break;
        f->nstacks += take_stack(l, k, item, f->stacks[f->nstacks]);
    }
    return true;
}

bool mh_words_callers(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    struct mh_fault *f = l->fault;

    for (char *word; (word = mh_word_next(&text, " \t,"));) {
        bool anywhere = strchr(word, '/') && word[0] != '/' && strncmp(word, "**", 2) != 0;

        if (!mh_word_room(l, k, word, f->ncallers))
            break;
        if (mh_word_take(l, k, anywhere ? "**/" : "", word, f->callers[f->ncallers]))
            f->ncallers++;
    }
    return true;
}

static bool is_method(const char *word)
{
    return !strcmp(word, "*") || (word[0] && !word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-")]);
}

/* "GET /orders/7", "/orders/7" or a task's name. */
static bool take_operation(struct mh_loader *l, const struct mh_key_row *k, char *text, char *ret)
{
    struct mh_buf b = {ret, MH_PATTERN_SIZE, 0, false};
    char *first = mh_word_next(&text, " \t"), *second = mh_word_next(&text, " \t");
    char *third = mh_word_next(&text, " \t");
    const char *path = second ? second : first;

    if (strstr(path, "://") || strchr(path, '?'))
        mh_complain_value(l, k, path, "%s",
                          strstr(path, "://") ? "write the path alone, without the host"
                                              : "what follows a '?' is not looked at; write the "
                                                "path alone");
    else if (third)
        mh_complain_value(l, k, third, "after %q comes nothing, or a comma", second);
    else if (second && !is_method(first))
        mh_complain_value(l, k, first, "it is no method of HTTP, such as GET, or * for any");
    else if (second && second[0] != '/' && second[0] != '*')
        mh_complain_value(l, k, second, "a path begins with '/'");
    else {
        mh_buf_add(&b, first);
        mh_buf_add(&b, second ? " " : "");
        mh_buf_add(&b, second ? second : "");
        if (!b.cut)
            return true;
        mh_complain_value(l, k, path, "it is too long; at most %u characters",
                          (unsigned)MH_PATTERN_SIZE - 1);
    }
    return false;
}

bool mh_words_operations(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    struct mh_fault *f = l->fault;

    for (char *item; (item = mh_word_next(&text, ","));) {
        item += strspn(item, " \t");
        if (!*item)
            continue;
        if (!mh_word_room(l, k, item, f->noperations))
            break;
        f->noperations += take_operation(l, k, item, f->operations[f->noperations]);
    }
    return true;
}
