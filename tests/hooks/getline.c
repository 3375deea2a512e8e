/* SPDX-License-Identifier: Apache-2.0 */
/* getline(): a line of any length. */
#include "snippet.h"

int snippet_getline(void)
{
    FILE *f = temp_stream("r");
    char *line = NULL;
    size_t room = 0;

    WANT(f);
    if (getline(&line, &room, f) < 0) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(line, "hello world"));
    WANT(getline(&line, &room, f) == -1 && feof(f) && !ferror(f));
    TRY(fclose(f));
    free(line);
    return 0;
}
