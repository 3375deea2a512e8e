/* SPDX-License-Identifier: Apache-2.0 */
/* How hooks get in front of calls in a process that ran before we came: the linker has bound its
 * names already, so what it has written down for each object is exchanged. For attach.c only. */
#pragma once

/* Has the calls of all loaded objects lead to our hooks, and those of objects that come later as
 * soon as a name is looked up in them. Other threads may run. Returns 0, -ENOMEM, or -ENOENT when
 * our own names cannot be found. */
int mh_patch_in(void);

/* Puts everything back as it was. Whoever is in a hook, or kept the address of one, goes on in it:
 * the library stays where it is. */
void mh_patch_out(void);
