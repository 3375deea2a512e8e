/* SPDX-License-Identifier: Apache-2.0 */
/* The inner side of the model room: what one file's reader hands to the passes after it. */
#pragma once

#include "event/read.h"
#include "model/model.h"

struct mh_skim;

/* Takes in one recording, but for what `skim` leaves out. Returns 0 or a negative errno of
 * mh_reader_open(), or -ENOMEM. */
int mh_model_read(struct mh_model *m, const char *path, bool baseline, const struct mh_skim *skim);

/* Routes that differ only in a word that varies (slugs) become one. Before attribution; route_keys
 * is empty afterwards. */
int mh_routes_settle(struct mh_model *m);

/* Gives each act its unit of work, and each unit its acts. Returns 0 or -ENOMEM. */
int mh_model_attribute(struct mh_model *m);

/* Lists the acts of each unit, by time: the last step of attribution. Returns 0 or -ENOMEM. */
int mh_units_list(struct mh_model *m);

/* Names of units behind TLS, by what code they ran, where that is one function. After attribution.
 * Returns 0 or -ENOMEM. */
int mh_units_name(struct mh_model *m);

/* How runs of tasks ended, in the terms of requests. After attribution. */
void mh_tasks_settle(struct mh_model *m);

/* Redis peers: cache or store, by what was written to them. */
void mh_redis_settle(struct mh_model *m);

/* Gives calls of libraries in requests the place of the application that they serve, where there is
 * one: see lend.c. Returns 0 or -ENOMEM. */
int mh_sites_lend(struct mh_model *m);

/* Fills what is known only when all files are read: fault windows, calm, routes' baselines. */
int mh_model_settle(struct mh_model *m);
