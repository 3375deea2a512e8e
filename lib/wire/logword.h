/* SPDX-License-Identifier: Apache-2.0 */
/* Words that log records may hold, by class: the vocabulary of logsink.c. Everything takes the
 * bytes of one word and its length; pure, any context may call it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "event/event.h"

/* The level that a word names. Capitals only ("ERROR"), or in any spelling ("err"), for where the
 * place of the word says that it is a level. MH_LEVEL_none when it is not one. */
enum mh_level mh_word_level(const char *word, size_t n, bool any_case);

/* Whether a word is a key whose value is a level: `level`, `levelname`, `severity`... */
bool mh_word_level_key(const char *word, size_t n);

/* Whether a word names one request, trace or task: `request_id`, `trace-id`..., or is a UUID or 32
 * hexadecimal digits. */
bool mh_word_ident(const char *word, size_t n);

/* Whether a word is a key whose value is a trace id: `trace_id`, `traceId`, `otelTraceID`... */
bool mh_word_trace_key(const char *word, size_t n);

/* The id in "00-<32 digits>-<16>-01" (W3C traceparent), or the word itself when it is 32
 * hexadecimal digits and `bare` ones will do; NULL when there is none. Borrowed from word. */
const char *mh_word_trace(const char *word, size_t n, bool bare);

/* "redis.exceptions.ConnectionError" -> "ConnectionError"; NULL when the last part does not look
 * like the name of an exception class. *ret_n is its length. Borrowed from word. */
const char *mh_word_exception(const char *word, size_t n, size_t *ret_n);

/* "ECONNREFUSED" or "EAI_AGAIN", when the word is one. Borrowed for ever; NULL otherwise. */
const char *mh_word_errno(const char *word, size_t n);

/* The errno whose text ("Connection refused") the bytes begin with. Borrowed for ever; or NULL. */
const char *mh_word_errno_text(const char *bytes, size_t n);

enum mh_host { MH_HOST_no, MH_HOST_name, MH_HOST_dotted, MH_HOST_ipv4 };

/* What kind of host a word can be: a name ("redis"), a dotted one, an address. Not a file name, not
 * a number, nothing with capitals. */
enum mh_host mh_word_host(const char *word, size_t n);

/* Whether "host:port" means a peer rather than a line or an item number: for a name only ports that
 * services use. */
bool mh_word_port(enum mh_host host, unsigned long port);

/* The port of a URL's scheme when it gives none; 0 when unknown. */
unsigned mh_word_scheme_port(const char *scheme, size_t n);
