/* SPDX-License-Identifier: Apache-2.0 */
/* __libc_start_main(): this program's own start came through it; there is no second one. */
#include "snippet.h"

int __libc_start_main(int (*run)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*end)(void));

int snippet___libc_start_main(void)
{
    int (*volatile start)(int (*)(int, char **, char **), int, char **, void (*)(void),
                          void (*)(void), void (*)(void)) = __libc_start_main;

    WANT(start);
    return 0;
}
