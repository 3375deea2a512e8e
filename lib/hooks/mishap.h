/* SPDX-License-Identifier: Apache-2.0 */
/* mishap, as seen by a program that is run under it: its faults switched on and off from within. A
 * program links with nothing: the functions are those of the preloaded library, and weak. */
#pragma once

/* Where the library is not, they are not either, and a program may ask first:
 *
 *     if (mishap_switch)
 *         mishap_switch("slow-redis", 0);
 *
 * They may be called from every thread and from a signal handler, and keep errno. Errors are
 * -ENOENT, the scenario has no fault of that name, and -ENOTCONN, nothing is recorded here. */

#ifdef __cplusplus
extern "C" {
#endif

/* As `mishap set RUN on|off FAULT` does, in every process of the run: everything when `fault` is
 * NULL. What a fault holds back is let go. Returns 0 or an error. */
__attribute__((weak)) int mishap_switch(const char *fault, int on);

/* How often the fault has fired, in all processes of the run together; all faults when it is NULL.
 * Or an error. */
__attribute__((weak)) long mishap_fired(const char *fault);

#ifdef __cplusplus
}
#endif
