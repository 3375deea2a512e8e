/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences about the end of a run; see tell.h. */
#include "run/tell.h"

#include <string.h>

#include "cmd.h"
#include "log.h"
#include "run/supervise.h"

#include "base/banned.h"

int mh_run_own_status(const struct mh_run_result *result)
{
    if (result->stopped && !result->killed)
        return 0;
    return result->signal ? 128 + result->signal : result->status;
}

int mh_run_tell(const struct mh_run *run, const struct mh_run_result *result)
{
    int own = mh_run_own_status(result);

    if (!result->was_ready && !result->interrupted) {
        if (!result->stopped)
            mh_log("the command ended (status %d) before %s answered",
                   result->signal ? 128 + result->signal : result->status, run->ready);
        return own ? own : MH_EXIT_TROUBLE;
    }
    if (result->load_status == 126 || result->load_status == 127) {
        mh_log("the load could not be run: %s", run->with);
        return own ? own : MH_EXIT_TROUBLE;
    }
    if (result->load_status > 0)
        mh_log("the load ended with status %d", result->load_status);
    if (result->killed)
        mh_log("the command did not end when asked to, and was killed");
    else if (result->signal && !result->stopped)
        mh_log("the command was ended by signal %d (%s)", result->signal,
               strsignal(result->signal));
    return MH_EXIT_OK;
}
