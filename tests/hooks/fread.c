/* SPDX-License-Identifier: Apache-2.0 */
/* fread(): as many as asked for, then what is left. */
#include "snippet.h"

int snippet_fread(void)
{
    FILE *f = temp_stream("r");
    char b[16] = "";

    WANT(f);
    if (fread(b, 1, 5, f) != 5) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(b, "hello"));
    WANT(fread(b, 1, 15, f) == 6 && feof(f) && !ferror(f));
    TRY(fclose(f));
    return 0;
}
