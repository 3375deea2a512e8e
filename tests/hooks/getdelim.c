/* SPDX-License-Identifier: Apache-2.0 */
/* getdelim(): up to a byte, and that. */
#include "snippet.h"

int snippet_getdelim(void)
{
    FILE *f = temp_stream("r");
    char *line = NULL;
    size_t room = 0;

    WANT(f);
    if (getdelim(&line, &room, ' ', f) < 0) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(line, "hello "));
    WANT(getdelim(&line, &room, ' ', f) == 5);
    WANT(getdelim(&line, &room, ' ', f) == -1 && feof(f) && !ferror(f));
    TRY(fclose(f));
    free(line);
    return 0;
}
