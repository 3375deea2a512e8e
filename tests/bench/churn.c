/* SPDX-License-Identifier: Apache-2.0 */
/* Nanoseconds that pairs of an allocation and its release take: the best of many short rounds,
 * since what else runs on the machine only ever adds. Prints one line per kind: name, figure. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { ROUNDS = 25, MIB = 1 << 20 };

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

#define KEEP(p) __asm__ volatile("" ::"r"(p) : "memory")
#define BEST(name, times, body)                                                                    \
    do {                                                                                           \
        double best = 1e18;                                                                        \
        for (int round_ = 0; round_ < ROUNDS; round_++) {                                          \
            double begun = now(), took;                                                            \
            for (int i = 0; i < (times); i++)                                                      \
                body;                                                                              \
            took = (now() - begun) / (times);                                                      \
            best = took < best ? took : best;                                                      \
        }                                                                                          \
        printf("%s %.3f\n", name, best);                                                           \
    } while (0)

int main(void)
{
    BEST("malloc+free", 400000, {
        void *p = malloc(64);

        KEEP(p);
        free(p);
    });
    BEST("calloc+free", 400000, {
        void *p = calloc(4, 16);

        KEEP(p);
        free(p);
    });
    BEST("malloc+realloc+free", 200000, {
        void *p = malloc(64);

        KEEP(p);
        p = realloc(p, 128);
        KEEP(p);
        free(p);
    });
    BEST("mmap+munmap", 5000, {
        void *p = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        KEEP(p);
        munmap(p, MIB);
    });
    return 0;
}
