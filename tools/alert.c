/* SPDX-License-Identifier: Apache-2.0 */
/* Services, their secrets, and the sending; see alert.h. The texts are made in alert_body.c. */
#include "alert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "cmd.h"
#include "log.h"
#include "post.h"

#include "base/banned.h"

enum { SECRET = 1000 };

static const struct mh_alert_row services[] = {
#define ALERT(name, variable, address, server, header, from, escaped, body)                        \
    {#name, variable, address, server, header, from, escaped, body},
#include "alert.def"
#undef ALERT
};

const char *mh_alert_names(void)
{
    return ""
#define ALERT(name, ...) " " #name
#include "alert.def"
#undef ALERT
        ;
}

static const struct mh_alert_row *find(const char *word)
{
    size_t n = strcspn(word, "=");

    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        if (strlen(services[i].name) == n && !strncmp(services[i].name, word, n))
            return &services[i];
    return NULL;
}

/* The secret of the service; a line's end is not part of it. Returns 0 or a negative errno: -ENXIO
 * it is not in the environment. */
static int read_secret(const struct mh_alert_row *row, const char *word, char ret[SECRET])
{
    const char *file = strchr(word, '='), *value = getenv(row->variable);
    FILE *f = file ? fopen(file + 1, "re") : NULL;
    int r = 0;

    if (file && !f)
        return -errno;
    if (f) {
        r = fgets(ret, SECRET, f) ? 0 : -ENODATA;
        fclose(f);
    } else if (value && strlen(value) < SECRET) {
        memcpy(ret, value, strlen(value) + 1);
    } else {
        r = -ENXIO;
    }
    if (r == 0)
        ret[strcspn(ret, "\r\n")] = '\0';
    return r == 0 && !*ret ? -ENXIO : r;
}

int mh_alert_check(const char *word)
{
    const struct mh_alert_row *row = find(word);
    char secret[SECRET];
    int r;

    if (!row) {
        mh_log("--alert: there is no service '%.*s'; there are:%s", (int)strcspn(word, "="), word,
               mh_alert_names());
        return MH_EXIT_MISUSE;
    }
    r = read_secret(row, word, secret);
    explicit_bzero(secret, sizeof(secret));
    if (r == -ENXIO)
        mh_log("--alert %s: %s is not set", row->name, row->variable);
    else if (r < 0)
        mh_log_errno(r, "--alert %s: cannot read the file with its secret", row->name);
    else if (!mh_post_can())
        mh_log("--alert: libcurl.so.4 is not here, or mishap was built without it");
    else
        return MH_EXIT_OK;
    return MH_EXIT_MISUSE;
}

static int send(const struct mh_alert_row *row, const char *secret, const char *body,
                char why[MH_POST_WHY])
{
    const char *server = row->address ? getenv(row->address) : NULL;
    char address[SECRET + 100], header[SECRET + 100];

    if (!row->server)
        return mh_post(secret, NULL, body, why);
    snprintf(address, sizeof(address), "%s/v2/alerts", server && *server ? server : row->server);
    snprintf(header, sizeof(header), "%s%s", row->header, secret);
    return mh_post(address, header, body, why);
}

void mh_alert_send(const char *word, const json_t *document, int status)
{
    const struct mh_alert_row *row = find(word);
    _cleanup_free_ char *body = NULL;
    char secret[SECRET], why[MH_POST_WHY] = "no memory";
    int r = -1;

    if (!row || status < row->from)
        return;
    body = mh_alert_body(row, document, status);
    if (read_secret(row, word, secret) < 0)
        snprintf(why, sizeof(why), "its secret is gone");
    else if (body)
        r = send(row, secret, body, why);
    explicit_bzero(secret, sizeof(secret));
    if (r < 0)
        mh_log("the alert to %s was not sent: %s", row->name, why);
}
