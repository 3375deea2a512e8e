/* SPDX-License-Identifier: Apache-2.0 */
/* More behaviour for the grader's tests, by rule; see play.h. */
#pragma once

#include "play.h"

/* ---- MH-0102 ---- */
static void mistaken(struct story *s, struct answer *a)
{
    int64_t op = refuse(s, PRICES);

    story(s, outcome,
          "ConnectionRefusedError\tcreate_connection\t/usr/lib/python3.11/socket.py\t831", .op = op,
          .step = MH_STEP_born, .object = op, .source = MH_SOURCE_trace);
    story(s, outcome, "UnboundLocalError\t" IN_APP, .op = op, .step = MH_STEP_replaced,
          .object = op + 1, .source = MH_SOURCE_trace);
    story(s, outcome, "UnboundLocalError\t" IN_FRAMEWORK, .op = op, .step = MH_STEP_handled,
          .object = op + 1, .source = MH_SOURCE_trace);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
/* Raised on purpose, as "not found", and answered on purpose. */
static void mapped(struct story *s, struct answer *a)
{
    mistaken(s, a);
    a->status = 503;
}

/* ---- MH-1006 ---- */
static void log_at(struct story *s, struct answer *a, int level)
{
    caught(s, refuse(s, PRICES), IN_APP);
    story(s, log, "ConnectionRefusedError", .level = level, .sink = 2);
    *a = (struct answer){.status = 503, .ms = 3, .digest = 9, .nkeys = 1, .retry_after = 5};
}
static void told_as_info(struct story *s, struct answer *a)
{
    log_at(s, a, MH_LEVEL_info);
}
static void printed(struct story *s, struct answer *a)
{
    log_at(s, a, MH_LEVEL_none);
}

/* ---- MH-2002 ---- */
static void needs_nobody(struct story *s, struct answer *a) {}
static void remembered(struct story *s, struct answer *a)
{
    *a = (struct answer){.status = 500, .ms = 1, .retry_after = -1};
}
