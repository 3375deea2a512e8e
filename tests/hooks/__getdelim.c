/* SPDX-License-Identifier: Apache-2.0 */
/* __getdelim(): up to a byte, and that. */
#include "snippet.h"

ssize_t __getdelim(char **line, size_t *n, int delim, FILE *f);

int snippet___getdelim(void)
{
    FILE *f = temp_stream("r");
    char *line = NULL;
    size_t room = 0;

    WANT(f);
    if (__getdelim(&line, &room, ' ', f) < 0) {
        WANT(ferror(f));
        return errno;
    }
    WANT(!strcmp(line, "hello "));
    WANT(__getdelim(&line, &room, ' ', f) == 5);
    WANT(__getdelim(&line, &room, ' ', f) == -1 && feof(f) && !ferror(f));
    TRY(fclose(f));
    free(line);
    return 0;
}
