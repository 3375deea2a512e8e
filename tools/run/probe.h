/* SPDX-License-Identifier: Apache-2.0 */
/* An interpreter asked under the library: is it there at all, and does it know this Python? */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mh_probe {
    bool loaded;      /* the library was there, and recorded */
    uint32_t python;  /* PY_VERSION_HEX, 0 no interpreter */
    bool stacks;      /* stacks were seen */
    char said[200];   /* first line on stderr; "" none */
    char roots[4096]; /* where its packages are, a directory a line; "" unknown */
};

/* Has `python` fail to connect to a port of this machine, under `library`, and reads its recording.
 * Returns 0 or a negative errno: -ETIMEDOUT it did not end. */
int mh_probe_run(const char *python, const char *library, struct mh_probe *ret);
