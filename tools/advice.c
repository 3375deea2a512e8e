/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and loads files of advice; see advice.h. */
#include "advice.h"

#include <errno.h>

#include "base/macros.h"
#include "cmd.h"
#include "log.h"
#include "run/library.h"

#include "base/banned.h"

static void complain(void *context, const char *file, int line, const char *message)
{
    if (line)
        mh_log("%s:%d: %s", file, line, message);
    else
        mh_log("%s: %s", file, message);
}

struct mh_advice *mh_advice_open(const char *folder, int *ret_status)
{
    _cleanup_free_ char *found = folder ? NULL : mh_advice_find();
    struct mh_advice *advice = NULL;
    int r = folder || found ? mh_advice_load(folder ? folder : found, complain, NULL, &advice)
                            : -ENOENT;

    if (ret_status)
        *ret_status = r == 0         ? MH_EXIT_OK
                      : r == -EINVAL ? MH_EXIT_TROUBLE
                      : folder       ? MH_EXIT_MISUSE
                                     : MH_EXIT_TROUBLE;
    if (r < 0 && r != -EINVAL) {
        mh_log_errno(r, "no advice by library%s%s, fixes are the rules' own", folder ? " in " : "",
                     folder ? folder : "");
        advice = mh_advice_free(advice);
    }
    return advice;
}
