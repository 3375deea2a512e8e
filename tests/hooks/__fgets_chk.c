/* SPDX-License-Identifier: Apache-2.0 */
/* __fgets_chk(): a line that the end of the file ends. */
#include "snippet.h"

char *__fgets_chk(char *line, size_t room, int n, FILE *f);

int snippet___fgets_chk(void)
{
    FILE *f = temp_stream("r");
    char b[16] = "";

    WANT(f);
    if (!__fgets_chk(b, sizeof(b), sizeof(b), f)) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(b, "hello world"));
    WANT(!__fgets_chk(b, sizeof(b), sizeof(b), f) && feof(f) && !ferror(f));
    TRY(fclose(f));
    return 0;
}
