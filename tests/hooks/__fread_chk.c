/* SPDX-License-Identifier: Apache-2.0 */
/* __fread_chk(): as many as asked for, then what is left. */
#include "snippet.h"

size_t __fread_chk(void *p, size_t room, size_t size, size_t n, FILE *f);

int snippet___fread_chk(void)
{
    FILE *f = temp_stream("r");
    char b[16] = "";

    WANT(f);
    if (__fread_chk(b, sizeof(b), 1, 5, f) != 5) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(b, "hello"));
    WANT(__fread_chk(b, sizeof(b), 1, 15, f) == 6 && feof(f) && !ferror(f));
    TRY(fclose(f));
    return 0;
}
