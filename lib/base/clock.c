/* SPDX-License-Identifier: Apache-2.0 */
/* Where mh_now() reads the clock; see sys.h. In the preload library the name is our own hook until
 * the constructor puts the real function here (hooks/real.c); it asks the kernel meanwhile. */
#include "base/sys.h"

#include "base/banned.h"

int (*mh_clock_read)(clockid_t clock, struct timespec *ret) = clock_gettime;
