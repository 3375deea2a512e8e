/* SPDX-License-Identifier: Apache-2.0 */
/* One line, drawn over itself; see progress.h. */
#include "run/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/sys.h"
#include "log.h"

#include "base/banned.h"

enum { REDRAW_NS = 200000000 };

void mh_progress_init(struct mh_progress *p, const struct mh_control *control, bool quiet)
{
    *p = (struct mh_progress){
        .control = control,
        .began = mh_now(),
        .on = !quiet && isatty(STDERR_FILENO),
    };
}

void mh_progress_draw(struct mh_progress *p, const char *what)
{
    int64_t now = mh_now();
    uint64_t fired = 0, bad = p->control->units_5xx;
    bool colour;

    if (!p->on || (p->shown && now - p->shown < REDRAW_NS))
        return;
    p->shown = now;
    colour = mh_log_colour(stderr);
    for (size_t i = 0; i < ARRAY_SIZE(p->control->fired); i++)
        fired += p->control->fired[i];
    fprintf(stderr,
            "\r\033[Kmishap %6.1fs  %-22.40s faults %-6" PRIu64 " requests %-6" PRIu64
            " %s5xx %" PRIu64 "%s",
            (double)(now - p->began) / 1e9, what, fired, p->control->units,
            colour && bad ? "\033[31m" : "", bad, colour && bad ? "\033[0m" : "");
    fflush(stderr);
}

void mh_progress_clear(struct mh_progress *p)
{
    if (p->on && p->shown)
        fputs("\r\033[K", stderr);
    p->shown = 0;
}
