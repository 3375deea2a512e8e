/* SPDX-License-Identifier: Apache-2.0 */
/* fread_unlocked(): as many as asked for, then what is left. */
#include "snippet.h"

int snippet_fread_unlocked(void)
{
    FILE *f = temp_stream("r");
    char b[16] = "";

    WANT(f);
    if (fread_unlocked(b, 1, 5, f) != 5) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(b, "hello"));
    WANT(fread_unlocked(b, 1, 15, f) == 6 && feof(f) && !ferror(f));
    TRY(fclose(f));
    return 0;
}
