/* SPDX-License-Identifier: Apache-2.0 */
/* Appends records to this process's recording. Lock-free, async-signal-safe, no malloc; any thread,
 * any context; a vfork child only on behalf of the parent's thread, which waits (fd/guest.h).
 * Before mh_writer_open() and after a failure every put is refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sys.h"
#include "event/event.h"

/* Opens a new recording below `dir`, which exists, and closes the one before it. Returns 0 or a
 * negative errno. Called by the constructor and in a forked child; not concurrently. */
int mh_writer_open(const char *dir);

/* How many bytes a recording may have before routine records are left out; from the next
 * mh_writer_open() on. The size of events that matter may exceed it by a quarter. */
void mh_writer_limit(uint64_t bytes);

/* Forgets the parent's recording (child side of fork), without touching its file. */
void mh_writer_abandon(void);

/* Marks the recording complete: the process ends in order. */
void mh_writer_finish(void);

/* Takes no more records. Where they went stays mapped for those that write just now
 * (base/retire.h).
 */
void mh_writer_close(void);

/* This process is about to become another program (true), or has not become one (false). */
void mh_writer_complete(bool complete);

/* Is there a recording that still takes records? Nothing recorded means nothing injected. */
bool mh_writer_ok(void);

/* Records lost so far. */
uint64_t mh_writer_lost(void);

/* Learns this thread's id now: a child of vfork, which writes in its place, has another. */
void mh_writer_know_thread(void);
/* The number of this thread, as its records have it. */
uint32_t mh_writer_thread(void);

/* Appends one record; `fields` are n int64, `at` is when (mh_now()). Routine records are sampled
 * near the size limit and refused past it, others are kept for a quarter more. Returns whether it
 * was kept. */
bool mh_event_put(enum mh_event type, int64_t at, const void *fields, unsigned n, const char *tail,
                  size_t len);

/* mh_event(op, tail, len, .fd = 3, .err = EIO): fills the struct and puts it; mh_event_at() where
 * mh_now() was asked already. */
#define mh_event(name, tail, len, ...) mh_event_at(name, mh_now(), tail, len, __VA_ARGS__)
#define mh_event_at(name, now, tail, len, ...)                                                     \
    mh_event_put(MH_EVENT_##name, now, &(struct mh_ev_##name){__VA_ARGS__},                        \
                 sizeof(struct mh_ev_##name) / 8, tail, len)

/* A record about ourselves: to the recording, and with `loud` once to stderr as "mishap: ...". */
void mh_note(enum mh_note code, int64_t value, bool loud, const char *sentence);
