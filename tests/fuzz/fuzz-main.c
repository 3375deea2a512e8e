/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for a fuzzing engine: every input of the corpus as it is, cut at many places, and with
 * seeded damage, so that what fails fails again. fuzz-NAME CORPUS [ROUNDS] */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20, ROUNDS = 400, CUTS = 60 };

static uint8_t whole[MOST], spoilt[MOST];
static uint64_t seed = 1;

static uint64_t dice(uint64_t sides)
{
    return mh_mix(seed++) % sides;
}

/* Numbers that break what trusts them. */
static uint64_t odd_number(void)
{
    static const uint64_t numbers[] = {0,         1,
                                       2,         255,
                                       65535,     UINT32_MAX,
                                       INT32_MAX, UINT64_MAX,
                                       INT64_MAX, (uint64_t)INT64_MIN,
                                       1000,      UINT64_C(1) << 40};

    return numbers[dice(ARRAY_SIZE(numbers))];
}

static size_t spoil(size_t size)
{
    size_t n = size;

    memcpy(spoilt, whole, size);
    for (uint64_t k = 1 + dice(10); k > 0 && n > 16; k--) {
        size_t at = dice(n - 8);
        uint64_t number = odd_number();

        switch (dice(4)) {
        case 0:
            spoilt[at] ^= (uint8_t)(1u << dice(8));
            break;
        case 1: /* a field, whole: what the check word does not cover */
            memcpy(spoilt + at / 8 * 8, &number, sizeof(number));
            break;
        case 2:
            memset(spoilt + at, (int)dice(256), MH_MIN(dice(64), n - at));
            break;
        case 3: /* a piece of it in another place */
            memmove(spoilt + at / 8 * 8, spoilt + dice(n - 8) / 8 * 8, 8);
            break;
        }
    }
    return dice(8) ? n : n - dice(n);
}

static int replay(const char *path, unsigned rounds)
{
    FILE *f = fopen(path, "re");
    size_t size = f ? fread(whole, 1, sizeof(whole), f) : 0;

    if (!f)
        return -1;
    fclose(f);
    LLVMFuzzerTestOneInput(whole, size);
    for (unsigned i = 0; i < CUTS; i++)
        LLVMFuzzerTestOneInput(whole, size * i / CUTS);
    for (unsigned i = 0; i < rounds; i++)
        LLVMFuzzerTestOneInput(spoilt, spoil(size));
    return 0;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : ROUNDS;
    struct dirent **names = NULL;
    int n = argc > 1 ? scandir(argv[1], &names, NULL, alphasort) : -1, inputs = 0;

    for (int i = 0; i < n; i++) {
        char path[1024];

        snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
        if (names[i]->d_name[0] != '.' && replay(path, rounds) == 0)
            inputs++;
        free(names[i]);
    }
    free(names);
    printf("%d inputs\n", inputs);
    return inputs ? 0 : 1;
}
