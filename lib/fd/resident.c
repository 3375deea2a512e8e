/* SPDX-License-Identifier: Apache-2.0 */
/* See resident.h. */
#include "fd/resident.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "base/sys.h"

#include "base/banned.h"

enum { EVERY_NS = 100000000 };

static int64_t last;

/* Of statm, in pages: the second number, resident, without the third, those that files back, as
 * the recording that we map. */
static int64_t anonymous(const char *p, const char *end)
{
    int64_t numbers[3] = {0};

    for (int i = 0; i < 3 && p < end; i++, p++)
        for (; p < end && *p >= '0' && *p <= '9' && numbers[i] < INT32_MAX; p++)
            numbers[i] = numbers[i] * 10 + (*p - '0');
    return numbers[1] - numbers[2];
}

int64_t mh_resident_kb(int64_t now)
{
    int64_t before = __atomic_load_n(&last, __ATOMIC_RELAXED);
    char text[128];
    long fd, n;

    if (now - before < EVERY_NS || !__atomic_compare_exchange_n(&last, &before, now, false,
                                                                __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return 0;
    fd = mh_sys(SYS_openat, AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    n = mh_sys(SYS_read, fd, text, sizeof(text));
    mh_sys(SYS_close, fd);
    return n > 0 ? anonymous(text, text + n) * (int64_t)(getauxval(AT_PAGESZ) / 1024) : 0;
}
