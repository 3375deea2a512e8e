/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ended, on stderr and as an exit status. */
#pragma once

struct mh_run;
struct mh_run_result;

/* What the command itself says: 0 when it was fine, or when we had asked it to stop. */
int mh_run_own_status(const struct mh_run_result *result);

/* Says what went wrong around the faults. Returns the exit status when there is nothing to grade.
 */
int mh_run_tell(const struct mh_run *run, const struct mh_run_result *result);
