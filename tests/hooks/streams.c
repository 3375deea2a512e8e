/* SPDX-License-Identifier: Apache-2.0 */
/* What the snippets of streams share; see snippet.h. */
#include "snippet.h"

FILE *temp_stream(const char *mode)
{
    return make_file() ? NULL : fopen64("snippet.tmp", mode);
}

FILE *bare_stream(void)
{
    FILE *f = temp_stream("w");

    return f && !setvbuf(f, NULL, _IONBF, 0) ? f : NULL;
}

int by_bytes(int (*get)(FILE *f))
{
    static const char want[] = "hello world";
    FILE *f = temp_stream("r");

    WANT(f);
    for (int i = 0; want[i]; i++) {
        int c = get(f);

        if (c == EOF) {
            WANT(ferror(f));
            return errno;
        }
        WANT(c == want[i]);
    }
    WANT(get(f) == EOF && feof(f) && !ferror(f));
    TRY(fclose(f));
    return 0;
}

int by_puts(int (*put)(int c, FILE *f))
{
    FILE *f = bare_stream();
    bool good = true;

    WANT(f);
    for (int i = 0; good && i < 5; i++)
        good = put("hello"[i], f) == "hello"[i];
    return written(f, good, "hello");
}

int written(FILE *f, bool good, const char *want)
{
    char b[64] = "";
    int fd;

    if (!good) {
        WANT(ferror(f));
        return errno;
    }
    fd = syscall_open("snippet.tmp");
    WANT(fd >= 0 && past(SYS_read, fd, b, sizeof(b)) == (long)strlen(want) && !strcmp(b, want));
    close(fd);
    TRY(fclose(f));
    return 0;
}
