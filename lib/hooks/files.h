/* SPDX-License-Identifier: Apache-2.0 */
/* What opening a file means for the table: shared by the exports of files.c and variadic.c. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "fd/table.h"

enum { MH_PATH_BYTES = 1024 };

/* The path as faults match it: absolute. Text in b; relative names stay so when the directory
 * cannot be read. */
void mh_path_absolute(int dir, const char *path, struct mh_buf *b);

/* Faults on an operation on a path: waits, fails or lets pass. Returns 0, a negative errno with
 * *watch set, or 1: it is said to be done, and shall not be. */
int mh_path_fault(enum mh_op_kind kind, enum mh_call call, int fd, const struct mh_desc *d,
                  const char *path, int64_t *watch);

/* Before open(): verdict on the path. Returns 0 to go on, or 1 when the call has failed: then
 * mh_finish() was done and -1 is the answer. dir is AT_FDCWD or a directory's descriptor. */
int mh_open_before(enum mh_call call, int dir, const char *path, int flags);

/* After it: remembers what the new descriptor is; records a real failure (errno). Returns fd. */
int mh_open_after(enum mh_call call, int dir, const char *path, int flags, int fd);

/* What this descriptor of a file or directory is, by its absolute path and the flags of open();
 * `opened`: now, by this thread. */
void mh_file_describe(int fd, const struct mh_buf *full, int flags, bool opened);

/* Faults on a stream that is about to read or write: waits. Returns 1 when what is to come is in
 * *ret, a negative errno or 0 for the end, with *watch set; else 0. *v is the verdict. */
int mh_file_fault(enum mh_op_kind kind, enum mh_call call, int fd, struct mh_desc *d, uint64_t n,
                  struct mh_verdict *v, int64_t *watch, ssize_t *ret);

/* So many bytes have moved, at v->rate. */
void mh_file_slow(enum mh_op_kind kind, enum mh_call call, int fd, struct mh_desc *d,
                  const struct mh_verdict *v, uint64_t n);

/* Faults on closing a file: 0, or a negative errno with *watch set. */
int mh_close_fault(enum mh_call call, int fd, int64_t *watch);
