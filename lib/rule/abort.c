/* SPDX-License-Identifier: Apache-2.0 */
/* `abort_if`: conditions under which all faults are lifted. They are read and said here; `mishap
 * run` keeps them. See loader.h and rule.h. */
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "base/num.h"
#include "rule/loader.h"

#include "base/banned.h"

static const struct {
    const char *name;
    bool share; /* may be a share of something */
} rows[] = {
    [MH_ABORT_exits] = {"exits", false},
    [MH_ABORT_http_5xx] = {"http_5xx", true},
};
enum { MOST = 1000000, SHORTEST_MS = 100, LONGEST_S = 600, SHARE_S = 5 };
#define SECOND INT64_C(1000000000)

static bool take_what(struct mh_loader *l, const struct mh_key_row *k, const char *word,
                      struct mh_abort *ret)
{
    struct mh_nearest near = {word, NULL, 0};
    MH_BUF(hint, 64);

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        mh_nearest_try(&near, rows[i].name);
        if (!strcmp(word, rows[i].name)) {
            ret->what = (enum mh_abort_what)i;
            return true;
        }
    }
    mh_nearest_say(&near, &hint, MH_DID_YOU_MEAN, "");
    mh_complain_value(l, k, word, "it is nothing that is watched%s", hint.data);
    return false;
}

static bool take_limit(struct mh_loader *l, const struct mh_key_row *k, const char *word,
                       struct mh_abort *ret)
{
    uint32_t share;
    int r;

    ret->share = strchr(word, '%') != NULL;
    if (ret->share && !rows[ret->what].share) {
        mh_complain_value(l, k, word, "%s is a number, not a share", rows[ret->what].name);
        return false;
    }
    if (ret->share) {
        r = mh_num_percent(word, &share);
        if (r == 0 && share == UINT32_MAX)
            r = -ERANGE;
        ret->limit = r == 0 ? share : 0;
    } else {
        r = mh_num_uint(word, &ret->limit);
        if (r == 0 && ret->limit > MOST)
            r = -ERANGE;
    }
    if (r < 0)
        mh_complain_value(l, k, word,
                          r == -ERANGE ? "nothing can be more than that"
                                       : "it is neither a number nor a share such as 90%%");
    return r == 0;
}

static bool take_time(struct mh_loader *l, const struct mh_key_row *k, const char *text,
                      struct mh_abort *ret)
{
    int r = mh_num_time(text, &ret->for_ns);

    if (r == 0 && (ret->for_ns < SHORTEST_MS * (SECOND / 1000) || ret->for_ns > LONGEST_S * SECOND))
        r = -ERANGE;
    if (r < 0)
        mh_complain_value(l, k, text, "it is no time from 100 ms to 10 min");
    return r == 0;
}

/* "exits > 3", "http_5xx > 90% for 10s" */
static bool take_abort(struct mh_loader *l, const struct mh_key_row *k, char *text,
                       struct mh_abort *ret)
{
    struct mh_abort a = {.share = false};
    char *what = mh_word_next(&text, " \t"), *more = mh_word_next(&text, " \t");
    char *limit = mh_word_next(&text, " \t"), *word = mh_word_next(&text, " \t");

    if (!take_what(l, k, what, &a))
        return false;
    if (!more || strcmp(more, ">") != 0 || !limit) {
        mh_complain_value(l, k, more ? more : what,
                          "after %s comes '>' and a number, with blanks between", what);
        return false;
    }
    if (!take_limit(l, k, limit, &a))
        return false;
    if (word && strcmp(word, "for") != 0) {
        mh_complain_value(l, k, word, "after that comes nothing, 'for TIME', or a comma");
        return false;
    }
    if (word && !take_time(l, k, text + strspn(text, " \t"), &a))
        return false;
    if (a.share && !a.for_ns)
        a.for_ns = SHARE_S * SECOND;
    *ret = a;
    return true;
}

bool mh_words_aborts(struct mh_loader *l, const struct mh_key_row *k, char *text)
{
    struct mh_rules *rules = l->rules;

    for (char *item; (item = mh_word_next(&text, ","));) {
        item += strspn(item, " \t");
        if (!*item)
            continue;
        if (!mh_word_room(l, k, item, rules->naborts))
            break;
        rules->naborts += take_abort(l, k, item, &rules->aborts[rules->naborts]);
    }
    return true;
}

void mh_abort_say(const struct mh_abort *a, struct mh_buf *ret)
{
    mh_buf_add(ret, rows[a->what].name);
    mh_buf_add(ret, " > ");
    if (a->share)
        mh_num_say_percent(ret, (uint32_t)a->limit);
    else
        mh_buf_add_uint(ret, a->limit, 10);
    if (a->for_ns) {
        mh_buf_add(ret, " for ");
        mh_num_say_time(ret, a->for_ns);
    }
}
