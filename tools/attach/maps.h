/* SPDX-License-Identifier: Apache-2.0 */
/* What another process has mapped, and the names that its objects export, read out of its memory:
 * it may see other files than we do, and may run what is deleted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mh_map {
    uintptr_t from, to;
    uint64_t offset;
    bool executable, shared;
    char *path; /* "" anonymous; owned */
};

struct mh_maps {
    struct mh_map *v; /* in the order of addresses; owned */
    size_t n;
};

/* Reads /proc/PID/maps. Returns 0 or a negative errno. */
int mh_maps_read(pid_t pid, struct mh_maps *ret);
void mh_maps_done(struct mh_maps *maps);

/* The mapping that holds this address; NULL none. Borrowed. */
const struct mh_map *mh_maps_at(const struct mh_maps *maps, uintptr_t at);

/* Where the object begins whose file's name without directories begins with `name` and goes on with
 * '.' or '-', or ends there: "libc" is libc.so.6 and libc-2.31.so. 0 none. */
uintptr_t mh_maps_object(const struct mh_maps *maps, const char *name);

/* Address of a defined symbol of the object at `base`; 0 none. mem: /proc/PID/mem. */
uintptr_t mh_maps_symbol(int mem, uintptr_t base, const char *name);
