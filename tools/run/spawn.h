/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a program in a process group of its own, with a changed environment. */
#pragma once

#include <sys/types.h>

/* NAME=VALUE strings that replace or add to the environment, and "NAME" alone to take one away. The
 * program's signals are as a shell gives them; it ends when we do. Returns the process id, which is
 * also the group's, or a negative errno: also when the program could not be executed. */
pid_t mh_spawn(char *const argv[], char *const changes[]);
