/* SPDX-License-Identifier: Apache-2.0 */
/* What glibc.c and musl.c each do in their own way. */
#pragma once

/* Has `run` called when the process ends by exit(), with its status; -1 where it cannot be known.
 */
void mh_libc_at_exit(void (*run)(int status, void *unused));

/* Puts something in the slots of mh_real that this libc has nothing for, and that are called
 * without asking. */
void mh_libc_fill(void);
