/* SPDX-License-Identifier: Apache-2.0 */
/* Rows on the place; see doctor_place.h. */
#include "doctor_place.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "kernel/kernel.h"
#include "post.h"
#include "run/library.h"

#include "base/banned.h"

void mh_doctor_rings(const char *program, const char *roots, struct mh_rings *ret)
{
    char path[1024];

    mh_rings_ask_kernel(ret);
    if (program)
        mh_rings_look(program, ret);
    while (roots && *roots) {
        size_t n = strcspn(roots, "\n");

        snprintf(path, sizeof(path), "%.*s", (int)n, roots);
        if (n && n < sizeof(path))
            mh_rings_look(path, ret);
        roots += n + (roots[n] == '\n');
    }
}

static void row(struct mh_listing *l, const char *what, const char *here, const char *why)
{
    mh_listing_add(l, what);
    mh_listing_add(l, here);
    mh_listing_add(l, why);
}

static void kernel_side(struct mh_listing *l)
{
    struct mh_kernel *k = NULL;
    char why[MH_KERNEL_WHY] = "";
    _cleanup_free_ char *library = mh_library_find(NULL);
    int r = mh_kernel_open(library, &k, why);

    mh_kernel_free(k);
    row(l, "(kernel side)", r < 0 ? "refused" : why[0] ? "in part" : "available", why);
}

static void rings_side(struct mh_listing *l, const struct mh_rings *r)
{
    static const char *const here[] = {
        [MH_RING_none] = "not found",
        [MH_RING_libc] = "can be seen",
        [MH_RING_itself] = "cannot be seen",
    };
    static const char *const means[] = {
        [MH_RING_none] = "",
        [MH_RING_libc] = " can ask libc for a ring, what goes through it meets no fault: it is on "
                         "record when that happens, and call = io_uring with error = ENOSYS "
                         "refuses it",
        [MH_RING_itself] =
            " can set up a ring without libc: neither that nor what goes through it "
            "can be seen, refused or made to fail; sysctl kernel.io_uring_disabled=2 "
            "keeps it from that",
    };
    MH_BUF(why, 2048);

    if (r->first)
        mh_buf_add(&why, r->first);
    if (r->others) {
        mh_buf_add(&why, " and ");
        mh_buf_add_uint(&why, r->others, 10);
        mh_buf_add(&why, " more");
    }
    mh_buf_add(&why, means[r->how]);
    if (r->cut)
        mh_buf_add(&why, why.len ? "; only the first GiB was looked at"
                                 : "only the first GiB was looked at");
    if (r->kernel_never)
        row(l, "(io_uring)", "impossible", "this kernel gives no rings here");
    else
        row(l, "(io_uring)", here[r->how], why.data);
}

static void alerts_side(struct mh_listing *l)
{
    bool can = mh_post_can();

    row(l, "(alerts)", can ? "available" : "impossible",
        can ? "" : "libcurl.so.4 is not here, or mishap was built without it");
}

void mh_doctor_place(struct mh_listing *l, const struct mh_rings *rings)
{
    kernel_side(l);
    alerts_side(l);
    rings_side(l, rings);
}
