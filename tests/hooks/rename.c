/* SPDX-License-Identifier: Apache-2.0 */
/* rename(): a file has its new name and not the old one. */
#include "snippet.h"

int snippet_rename(void)
{
    WANT(make_file() == 0);
    TRY(rename("snippet.tmp", "snippet.new"));
    WANT(access("snippet.tmp", F_OK) == -1 && access("snippet.new", F_OK) == 0);
    WANT(rename("snippet.tmp", "snippet.new") == -1 && errno == ENOENT);
    return 0;
}
