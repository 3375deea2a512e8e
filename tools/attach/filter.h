/* SPDX-License-Identifier: Apache-2.0 */
/* Whether seccomp lets a process do what the library does: its filters are read and asked, since to
 * try could be the end of the process. */
#pragma once

#include <sys/types.h>

enum mh_filter_answer {
    MH_FILTER_allows,
    MH_FILTER_refuses,
    MH_FILTER_unknown, /* the filters cannot be read */
};

/* Asks the filters of a stopped thread for each system call that matters. *ret_call: the name of
 * the first that is refused. */
enum mh_filter_answer mh_filter_ask(pid_t tid, const char **ret_call);
