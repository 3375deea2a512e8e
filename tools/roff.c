/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where text becomes roff; see roff.h. */
#include "roff.h"

#include "base/banned.h"

void mh_roff_text(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\n')
            fputs("\n\\&", out); /* what follows is no request, whatever it begins with */
        else
            fputc(*text, out);
    }
}
