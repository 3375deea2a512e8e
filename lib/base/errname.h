/* SPDX-License-Identifier: Apache-2.0 */
/* errno numbers and their names, and the EAI_* numbers of getaddrinfo; made from errno.def. */
#pragma once

/* "ECONNRESET" for 104; NULL when the number has no name. Borrowed for ever. */
const char *mh_errno_name(int err);

/* "Connection reset by peer" for 104; NULL when unknown. Borrowed for ever. */
const char *mh_errno_text(int err);

/* 104 for "ECONNRESET"; -1 when there is no such name. */
int mh_errno_number(const char *name);

/* Name at position i of the table, NULL past its end: for help texts and spelling hints. */
const char *mh_errno_at(unsigned i);

/* "EAI_AGAIN" for -3; NULL when unknown. */
const char *mh_eai_name(int code);

/* -3 for "EAI_AGAIN"; 0 when there is no such name. */
int mh_eai_number(const char *name);

/* EAI name at position i of its table, NULL past its end. */
const char *mh_eai_at(unsigned i);
