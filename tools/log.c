/* SPDX-License-Identifier: Apache-2.0 */
/* Errors and terminals; see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/banned.h"

static void MH_PRINTF(1, 0) say(const char *format, va_list args)
{
    fputs("mishap: ", stderr);
    vfprintf(stderr, format, args);
}

void mh_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    flockfile(stderr);
    say(format, args);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
}

int mh_log_errno(int r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    flockfile(stderr);
    say(format, args);
    fprintf(stderr, ": %s\n", strerror(-r));
    funlockfile(stderr);
    va_end(args);
    return r;
}

bool mh_log_colour(FILE *stream)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(stream)) && (!none || !*none) && term && strcmp(term, "dumb") != 0;
}

int mh_log_width(FILE *stream)
{
    struct winsize size;

    if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || !size.ws_col)
        return 80;
    return size.ws_col;
}
