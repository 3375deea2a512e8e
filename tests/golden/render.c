/* SPDX-License-Identifier: Apache-2.0 */
/* Renders a graded document without a run: render FORMAT DOCUMENT OUT [WIDTH] [a][c][v]. The
 * formats are tested through it; a stand-in for `mishap report` that needs no recording. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

#include "base/banned.h"

int main(int argc, char **argv)
{
    struct mh_report_options options = mh_report_options_for(NULL);
    const char *flags = argc > 5 ? argv[5] : "";
    const struct mh_format *format;
    json_t *document;
    json_error_t error;
    int r;

    if (argc < 4)
        return 2;
    format = mh_format_named(argv[1]);
    document = json_load_file(argv[2], 0, &error);
    if (!format || !document) {
        fprintf(stderr, "%s:%d: %s\n", argv[2], error.line, format ? error.text : "no such format");
        return 2;
    }
    if (!strcmp(argv[3], "-"))
        options = mh_report_options_for(stdout);
    if (argc > 4)
        options.width = (int)strtoul(argv[4], NULL, 10);
    options.ascii = options.ascii || strchr(flags, 'a');
    options.colour = options.colour || strchr(flags, 'c');
    options.verbose = strchr(flags, 'v') != NULL;
    r = mh_report_write(document, format, argv[3], &options);
    json_decref(document);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", argv[3], strerror(-r));
    return r < 0;
}
