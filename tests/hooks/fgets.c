/* SPDX-License-Identifier: Apache-2.0 */
/* fgets(): a line that the end of the file ends. */
#include "snippet.h"

int snippet_fgets(void)
{
    FILE *f = temp_stream("r");
    char b[16] = "";

    WANT(f);
    if (!fgets(b, sizeof(b), f)) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(b, "hello world"));
    WANT(!fgets(b, sizeof(b), f) && feof(f) && !ferror(f));
    TRY(fclose(f));
    return 0;
}
