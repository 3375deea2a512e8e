/* SPDX-License-Identifier: Apache-2.0 */
/* Has the program's own code begun? While an interpreter starts (site, sitecustomize, what they
 * import) the outermost frame is the import machinery, called from C; afterwards it is the main
 * module, runpy, or the function of a thread. */
#include "python/python.h"

#include <stdatomic.h>
#include <string.h>

#include "python/api.h"
#include "python/frame.h"
#include "python/stack.h"

#include "base/banned.h"

static bool is_start_up(const struct mh_frame *outermost)
{
    static const char machinery[] = "\t<frozen importlib";
    MH_BUF(text, MH_NAME_MAX + MH_FILE_MAX);

    mh_code_add(&text, outermost->code, NULL);
    return strstr(text.data, machinery) != NULL;
}

bool mh_python_begun(void)
{
    static atomic_bool begun;
    struct mh_frame f, outermost = {0};
    const char *ts, *frame;

    if (!mh_py.found || atomic_load_explicit(&begun, memory_order_relaxed))
        return true;
    ts = mh_stack_thread();
    if (!ts)
        return atomic_load(&mh_py.proved) < 0;
    frame = mh_frame_first(ts);
    for (int i = 0; i < 10000 && mh_frame_find(frame, &f); i++) {
        outermost = f;
        frame = mh_frame_back(f.frame);
    }
    if (!outermost.code || is_start_up(&outermost))
        return false;
    atomic_store(&begun, true);
    return true;
}
