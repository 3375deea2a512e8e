/* SPDX-License-Identifier: Apache-2.0 */
/* What `mishap attach` and the library say to each other when the library comes into a process that
 * runs already: the one function that the command calls there, and its text. */
#pragma once

#include <stddef.h>

/* The library's entry for the command: mishap_attach(step, text, size) returns 0 or a negative
 * errno, with one line of explanation in `text`. */
#define MH_ATTACH_ENTRY "mishap_attach"

enum mh_attach_step {
    MH_ATTACH_PREPARE =
        1,               /* text holds settings; other threads run; hooks are put in place, shut */
    MH_ATTACH_BEGIN = 2, /* all other threads stand still: what is open is learned; gates open */
    MH_ATTACH_LEAVE = 3, /* other threads run: gates shut, hooks taken out, all held let go */
    MH_ATTACH_CLOSE = 4, /* a moment later: who waited has seen it; the recording is closed */
};

/* Room for the settings, and for what the library answers. */
enum { MH_ATTACH_TEXT = 16384 };

/* Settings: lines KEY=VALUE, in any order; those that are not there are as if not given.
 *   version   MH_CONTROL_VERSION of the command
 *   config    scenarios, absolute, ':' between
 *   out       directory of the recording, absolute
 *   seed      decimal
 *   library   where it is, as the process sees it: programs that it starts get it, too
 *   any       1: also when `processes =` does not name this program
 *   name      NAME ADDRESS: what a name in the scenario stands for; may repeat */
