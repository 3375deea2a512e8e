/* SPDX-License-Identifier: Apache-2.0 */
/* Escaping for XML. */
#include "report/xml_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/utf8.h"

#include "base/banned.h"

static const char *entity(uint32_t code)
{
    switch (code) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    default:
        return NULL;
    }
}

void mh_xml_text(struct mh_out *out, const char *text)
{
    int n;

    for (; *text; text += n) {
        uint32_t code = mh_utf8_next(text, &n);
        bool sound = mh_utf8_harmless(code) || code == '\n' || code == '\t';

        /* U+FFFE and U+FFFF are no characters for XML. */
        if (entity(code))
            mh_out_add(out, entity(code));
        else if (sound && code != 0xfffe && code != 0xffff)
            mh_out_add_n(out, text, (size_t)n);
        else
            mh_out_add(out, "\xef\xbf\xbd");
    }
}

void mh_xml_attribute(struct mh_out *out, const char *name, const char *value)
{
    mh_out_printf(out, " %s=\"", name);
    mh_xml_text(out, value);
    mh_out_add(out, "\"");
}

void mh_xml_attributef(struct mh_out *out, const char *name, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mh_xml_attribute(out, name, text);
}
