/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory of its own the process has in RAM, looked at now and then. */
#pragma once

#include <stdint.h>

/* kB resident that no file backs; 0 when it was looked at less than a tenth of a second ago, or
 * cannot be seen. Any context may call it: raw system calls only, errno kept. */
int64_t mh_resident_kb(int64_t now);
