/* SPDX-License-Identifier: Apache-2.0 */
/* First lines of HTTP/1.x messages; part of the observer of wire/http.h, which
 * alone calls it. */
#pragma once

#include "wire/http.h"

/* Where a direction is. The states up to STATUS are those of first lines. */
enum mh_http_state {
    MH_HTTP_START, /* before a message: empty lines are allowed */
    MH_HTTP_METHOD,
    MH_HTTP_TARGET,    /* its first character */
    MH_HTTP_PATH,      /* what goes into the text */
    MH_HTTP_AUTHORITY, /* http://user:secret@host of an absolute target: kept out of the text */
    MH_HTTP_QUERY,     /* likewise */
    MH_HTTP_VERSION,
    MH_HTTP_STATUS,
    MH_HTTP_NAME,
    MH_HTTP_VALUE,
    MH_HTTP_PASS, /* the rest of a line that does not matter */
    MH_HTTP_BODY,
    MH_HTTP_TO_CLOSE, /* a body that the end of the connection ends */
    MH_HTTP_SIZE,     /* of a chunk, in hexadecimal */
    MH_HTTP_EXTENSION,
    MH_HTTP_CHUNK,
    MH_HTTP_CHUNK_END,
};

enum mh_http_line { MH_HTTP_LINE_MORE, MH_HTTP_LINE_WHOLE, MH_HTTP_LINE_BAD };

/* Takes what is there of "METHOD target HTTP/1.1", and moves *p behind it; fills text. WHOLE at its
 * end. */
enum mh_http_line mh_http_request_line(struct mh_http *h, const unsigned char **p,
                                       const unsigned char *end);

/* The same of "HTTP/1.1 200"; fills status. WHOLE right behind the three digits. */
enum mh_http_line mh_http_status_line(struct mh_http *h, const unsigned char **p,
                                      const unsigned char *end);
