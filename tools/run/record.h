/* SPDX-License-Identifier: Apache-2.0 */
/* What only the supervisor knows of a run, in a recording of our own beside the application's. */
#pragma once

struct mh_run;
struct mh_run_result;

/* The command line, how it was stopped and ended, who listened then, and when the clock of the
 * phases began (processes that started before could not know). `no_kernel`: why the kernel was not
 * watched. */
void mh_run_record(const char *dir, const struct mh_run *run, const struct mh_run_result *result,
                   const char *no_kernel);
