/* SPDX-License-Identifier: Apache-2.0 */
/* errno and EAI names; see errname.h. */
#include "base/errname.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

static const struct {
    int number;
    const char *name;
    const char *text;
} rows[] = {
#define ERRNO(name, text) {name, #name, text},
#include "base/errno.def"
#undef ERRNO
};

static const struct {
    int number;
    const char *name;
} eais[] = {
#define EAI(name) {name, #name},
    EAI(EAI_AGAIN) EAI(EAI_BADFLAGS) EAI(EAI_FAIL) EAI(EAI_FAMILY) EAI(EAI_MEMORY) EAI(EAI_NONAME)
        EAI(EAI_SERVICE) EAI(EAI_SOCKTYPE) EAI(EAI_SYSTEM)
#undef EAI
};

const char *mh_errno_name(int err)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].number == err)
            return rows[i].name;
    return NULL;
}

const char *mh_errno_text(int err)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].number == err)
            return rows[i].text;
    return NULL;
}

int mh_errno_number(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!strcmp(rows[i].name, name))
            return rows[i].number;
    return -1;
}

const char *mh_errno_at(unsigned i)
{
    return i < ARRAY_SIZE(rows) ? rows[i].name : NULL;
}

const char *mh_eai_name(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(eais); i++)
        if (eais[i].number == code)
            return eais[i].name;
    return NULL;
}

int mh_eai_number(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(eais); i++)
        if (!strcmp(eais[i].name, name))
            return eais[i].number;
    return 0;
}

const char *mh_eai_at(unsigned i)
{
    return i < ARRAY_SIZE(eais) ? eais[i].name : NULL;
}
