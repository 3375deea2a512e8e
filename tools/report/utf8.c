/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding and judging single characters. */
#include "report/utf8.h"

#include "base/banned.h"

uint32_t mh_utf8_next(const char *text, int *ret_n)
{
    const unsigned char *s = (const unsigned char *)text;
    int n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    uint32_t code = n == 1 ? s[0] : s[0] & (0x3fu >> (n ? n - 1 : 0));

    *ret_n = 1;
    if (!n || s[0] > 0xf4)
        return 0;
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *ret_n = i;
            return 0;
        }
        code = code << 6 | (s[i] & 0x3f);
    }
    *ret_n = n;
    return code;
}

bool mh_utf8_harmless(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return false;
    if (code == 0x061c || code == 0x200e || code == 0x200f || code == 0xfeff)
        return false;
    return !((code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069));
}

struct mh_utf8_locale mh_utf8_enter(void)
{
    struct mh_utf8_locale locale = {newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), (locale_t)0};

    if (locale.ours)
        locale.before = uselocale(locale.ours);
    return locale;
}

void mh_utf8_leave(struct mh_utf8_locale locale)
{
    if (!locale.ours)
        return;
    uselocale(locale.before);
    freelocale(locale.ours);
}
