/* SPDX-License-Identifier: Apache-2.0 */
/* Names made comparable: stacks to sites, paths of URLs to routes, peers to roles. */
#pragma once

#include "model/model.h"

/* Is this file the application's own, a library, or the standard library? */
enum mh_frame_kind mh_frame_kind_of(const char *file);

/* Takes in the text of a stack record; `native`: its frames are machine code, and no application's.
 * Returns its number in model->stacks, or a negative errno. */
int64_t mh_model_add_stack(struct mh_model *m, const char *text, size_t n, bool native);

/* Fills in what the stack's frames say of its process and its task (parts.def). */
void mh_model_stack_parts(struct mh_model *m, struct mh_stack *s);

/* The number of the route of "METHOD /path", or a negative errno. */
int64_t mh_model_add_route(struct mh_model *m, const char *path, size_t n);

/* "GET /items/42" -> "GET /items/{n}": digits, UUIDs and long hex become one name each. */
void mh_route_template(const char *path, size_t n, char *ret, size_t size);

/* What a server on this port, or one that this client library talks to, is for. */
enum mh_role mh_role_of_port(int port);
enum mh_role mh_role_of_library(const char *package);
enum mh_role mh_role_named(const char *name); /* MH_ROLE_COUNT: no such role */

/* The file's path below site-packages, dist-packages or the standard library; "" else. */
const char *mh_package_path(const char *file);
/* Top-level package or module that a library's or the standard library's file belongs to; "" else.
 */
void mh_package_of(const char *file, char *ret, size_t size);
