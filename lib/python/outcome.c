/* SPDX-License-Identifier: Apache-2.0 */
/* What became of an error; see outcome.h. */
#include "python/outcome.h"

#include "python/python.h"

#include "base/banned.h"

void mh_outcome_reset(void) {}

void mh_outcome_after_fork(void) {}

void mh_python_watch(int64_t op)
{
    (void)op;
}
