/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a planned run, by their names; see planned.h. */
#include "planned.h"

#include <stdio.h>
#include <unistd.h>

#include "base/banned.h"

static bool is_there(const char *dir, const char *name, char ret[PATH_MAX])
{
    int n = snprintf(ret, PATH_MAX, "%s/%s", dir, name);

    return n > 0 && n < PATH_MAX && !access(ret, R_OK);
}

bool mh_planned(const char *dir, struct mh_planned *ret)
{
    char file[PATH_MAX];

    return is_there(dir, "plan.ini", file) && is_there(dir, "run/run.json", file) &&
           is_there(dir, "run", ret->run) && is_there(dir, "clean", ret->clean);
}
