/* SPDX-License-Identifier: Apache-2.0 */
/* Typed pointers to the functions that our exports stand in front of, made from hooks.def. Filled
 * once, by the constructor or by the first call that comes before it; NULL where libc has none. */
#pragma once

#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/libc.h"

struct mh_real {
#define HOOK(op, ret, name, params) ret(*name) params;
#include "table/hooks_here.def"
#undef HOOK
};
extern MH_OWN struct mh_real mh_real;

/* Looks everything up. Idempotent; keeps errno. */
void mh_real_init(void);

/* Did we come into a process that ran already? Then names do not lead to our exports by themselves
 * (patch.h sees to that), and what we stand in front of is what the program itself is bound to. */
bool mh_real_late(void);

/* Finds one that was not there at first; `slot` holds the pointer, of this size. */
void mh_real_fetch(const char *name, void *slot, size_t size);

/* The real function of that name, NULL when there is none. */
void *mh_real_find(const char *name);
