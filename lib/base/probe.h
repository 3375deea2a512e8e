/* SPDX-License-Identifier: Apache-2.0 */
/* Probes for bpftrace, perf and gdb ("USDT"): one nop each, and a note in the file that says where
 * it is and where its five values are at that place. Nothing is called, nothing is needed at run
 * time; whoever watches puts a breakpoint on the nop. Any context. */
#pragma once

#include <stdint.h>

/* The note: sizes of its owner and of its description, type 3, the owner "stapsdt"; then addresses
 * of the nop and of a mark by which a prelinked file is known, no semaphore, and three texts:
 * provider, name, values ("-8@%rax": 8 bytes with a sign). All lengths come from the assembler. */
#if defined(__x86_64__) || defined(__aarch64__)
#define MH_PROBE(name, a, b, c, d, e)                                                              \
    __asm__ volatile("71: nop\n"                                                                   \
                     ".pushsection .note.stapsdt, \"?\", \"note\"\n"                               \
                     ".balign 4\n"                                                                 \
                     ".4byte 73f - 72f, 75f - 74f, 3\n"                                            \
                     "72: .asciz \"stapsdt\"\n"                                                    \
                     "73: .balign 4\n"                                                             \
                     "74: .8byte 71b\n"                                                            \
                     ".8byte _.stapsdt.base\n"                                                     \
                     ".8byte 0\n"                                                                  \
                     ".asciz \"mishap\"\n"                                                         \
                     ".asciz \"" #name "\"\n"                                                      \
                     ".asciz \"-8@%0 -8@%1 -8@%2 -8@%3 -8@%4\"\n"                                  \
                     "75: .balign 4\n"                                                             \
                     ".popsection\n"                                                               \
                     ".ifndef _.stapsdt.base\n"                                                    \
                     ".pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat\n"   \
                     ".weak _.stapsdt.base\n"                                                      \
                     ".hidden _.stapsdt.base\n"                                                    \
                     "_.stapsdt.base: .space 1\n"                                                  \
                     ".size _.stapsdt.base, 1\n"                                                   \
                     ".popsection\n"                                                               \
                     ".endif\n"                                                                    \
                     :                                                                             \
                     : "nor"((int64_t)(a)), "nor"((int64_t)(b)), "nor"((int64_t)(c)),              \
                       "nor"((int64_t)(d)), "nor"((int64_t)(e)))
#else
#define MH_PROBE(name, a, b, c, d, e) ((void)(a), (void)(b), (void)(c), (void)(d), (void)(e))
#endif
