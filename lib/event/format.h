/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of a recording: one file a process, `<host>-<pid>-<start>.mhr`.
 *
 * A file is one header of MH_FILE_HEADER bytes, then records, each aligned to 8 bytes. The file is
 * laid out in segments of MH_SEGMENT bytes; no record crosses a segment's border, the rest of a
 * segment is zero. A record counts when its `check` fits its place, length and type: it is written
 * last, so what a SIGKILL cut in the middle is skipped, and everything before and after it is read.
 * Numbers are in the byte order that the header's `endian` mark shows. */
#pragma once

#include <stdint.h>

#include "base/hash.h"

#define MH_MAGIC "MISHAP\r\n"
enum {
    MH_FORMAT_VERSION = 1,
    MH_FILE_HEADER = 256,
    MH_SEGMENT = 1 << 20,
    MH_MAX_RECORD = 1 << 16,
};
#define MH_ENDIAN_MARK 0x01020304u

struct mh_file_header {
    char magic[8];
    uint32_t endian;
    uint16_t version;
    uint16_t header_size;
    uint32_t pid;
    uint32_t complete; /* 1: the process ended in order */
    int64_t started_mono, started_wall;
    uint64_t lost; /* records not kept: the file or the disk was full */
    char host[64];
    uint64_t sampled; /* of these, routine ones left out on purpose when the file was nearly full */
    int64_t cut_at;   /* CLOCK_MONOTONIC, when the recording could not go on; 0: it could */
    char reserved[256 - 128];
};
_Static_assert(sizeof(struct mh_file_header) == MH_FILE_HEADER, "the header is one fixed block");

struct mh_record_header {
    uint32_t length; /* whole record: this header, fields, tail, padding to 8 */
    uint32_t check;  /* mh_record_check(); written last */
    int64_t at;      /* CLOCK_MONOTONIC, ns */
    uint32_t tid;
    uint16_t type;    /* enum mh_event */
    uint16_t nfields; /* 64-bit fields that follow */
    uint32_t tail;    /* bytes of text after the fields */
    uint32_t reserved;
};
_Static_assert(sizeof(struct mh_record_header) == 32, "records start with four words");

static inline uint32_t mh_record_check(uint64_t offset, uint32_t length, uint16_t type)
{
    return (uint32_t)mh_mix2(offset, (uint64_t)length << 16 | type) | 1;
}
