/* SPDX-License-Identifier: Apache-2.0 */
/* Tells Slack or Opsgenie of a finished run: `--alert`. What must not be seen (an address with a
 * token in it, a key) comes from the environment or a file, and is neither recorded nor printed. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* One service, as alert.def has it. */
struct mh_alert_row {
    const char *name, *variable, *address, *server, *header;
    int from;
    bool escaped;
    const char *body;
};

/* `word`: NAME, or NAME=FILE where the file's first line is the secret. Can it be told? Says why
 * not. Returns an exit status. */
int mh_alert_check(const char *word);

/* Tells it of the document, and of what the gate said of it (an exit status). What goes wrong is
 * one line on stderr and nothing else: an alert that does not arrive changes no verdict. */
void mh_alert_send(const char *word, const json_t *document, int status);

/* The names, with blanks between. */
const char *mh_alert_names(void);

/* The body that would be sent; caller frees with free(). NULL: no memory. */
char *mh_alert_body(const struct mh_alert_row *row, const json_t *document, int status);
