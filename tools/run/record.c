/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's own recording; see record.h. */
#include "run/record.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "event/write.h"
#include "kernel/kernel.h"
#include "log.h"
#include "run/supervise.h"

#include "base/banned.h"

static void record_listeners(const struct mh_listeners *l)
{
    if (l->looked && !l->n)
        mh_event(listener, NULL, 0, .looked_at = l->at);
    for (unsigned i = 0; l->looked && i < l->n; i++) {
        const struct mh_listener *one = &l->v[i];
        MH_BUF(pids, MH_HOLDERS * 12);

        for (unsigned k = 0; k < one->nholders; k++) {
            mh_buf_add(&pids, k ? " " : "");
            mh_buf_add_int(&pids, one->holders[k]);
        }
        mh_event(listener, pids.data, pids.len, .port = one->port, .waiting = one->waiting,
                 .looked_at = l->at);
    }
}

static void record_aborted(const struct mh_run_result *result, int64_t origin_at)
{
    int64_t after = result->aborted_at - origin_at;
    char line[sizeof(result->aborted) + 100];
    int n = snprintf(line, sizeof(line),
                     "the faults were lifted for good %.1f s into the run: abort_if = %s",
                     (double)after / 1e9, result->aborted);

    mh_event(note, line, (size_t)n, .code = MH_NOTE_aborted, .value = after / 1000000);
}

void mh_run_record(const char *dir, const struct mh_run *run, const struct mh_run_result *result,
                   const char *no_kernel)
{
    int64_t origin_at = run->control->origin_at;
    char line[2048];
    size_t n = 0;
    int r = mh_writer_open(dir);

    if (r < 0) {
        mh_log_errno(r, "Cannot record how the command ended");
        return;
    }
    for (char **arg = run->command; *arg && n < sizeof(line) - 1; arg++)
        n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", n ? " " : "", *arg);
    n = MH_MIN(n, sizeof(line) - 1);
    mh_event(origin, NULL, 0, .origin_at = origin_at);
    record_listeners(&result->listeners);
    for (unsigned i = 0; i < result->nasked; i++)
        mh_event(stop, NULL, 0, .signal = result->asked[i].signal, .sent_at = result->asked[i].at);
    mh_event(child, line, n, .pid = result->pid, .status = result->status, .signal = result->signal,
             .stopped = result->stopped, .ended_at = result->ended_at,
             .ready = !run->ready ? 0 : 1 + !result->was_ready);
    if (result->aborted[0])
        record_aborted(result, origin_at);
    mh_kernel_record(run->kernel, no_kernel);
    mh_writer_finish();
}
