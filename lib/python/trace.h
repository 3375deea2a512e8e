/* SPDX-License-Identifier: Apache-2.0 */
/* How errors are followed up to 3.11: a C trace function on the one thread, while there is
 * something to follow. For this room only. */
#pragma once

#include <stdbool.h>

enum mh_tracing {
    MH_TRACING_nobody,
    MH_TRACING_us,
    MH_TRACING_other, /* a debugger, coverage: stand back */
};

/* Who traces this thread? Needs no GIL. */
enum mh_tracing mh_trace_who(const char *ts);

/* Traces this thread, under the GIL. It ends by itself when nothing is followed any more. */
void mh_trace_arm(void);

/* The main thread may soon raise an object that this thread leaves to somebody: traces it, too,
 * where that can be done. Returns its thread state, or NULL. Under the GIL. */
const char *mh_trace_main(const char *ts);
