/* SPDX-License-Identifier: Apache-2.0 */
/* What the hooks of malloc, mmap and their families need to know once, from the constructor. */
#pragma once

/* Reads out of the rules, which are bound by now, what may be refused here. To be called before the
 * gate of memory is opened; until then nothing is counted. */
void mh_memory_init(void);

/* Chooses, when the gates stand as they will, whether the hooks of malloc go straight to the real
 * functions. To be called by the constructor in every case, last. */
void mh_memory_settle(void);
