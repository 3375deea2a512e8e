/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where text becomes XML. Controls, which XML 1.0 cannot hold,
 * and marks of direction are shown as U+FFFD. */
#pragma once

#include "report/out.h"

/* As character data, also fit for a quoted attribute. */
void mh_xml_text(struct mh_out *out, const char *text);

/* ` name="value"`, the value escaped. */
void mh_xml_attribute(struct mh_out *out, const char *name, const char *value);
void mh_xml_attributef(struct mh_out *out, const char *name, const char *format, ...)
    MH_PRINTF(3, 4);
