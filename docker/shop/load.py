#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Open-loop load: requests start at a constant rate whether or not earlier ones have answered.

A closed loop slows down together with the application and so hides what users would have seen.
Standard library only. Bounded twice: by time (--for) and, if asked, by number (--count).
"""
import argparse
import asyncio
import json
import random
import re
import signal
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

SHOP = ["GET /products/sku-{1..20} 8", "GET /price/sku-{1..20} 4", "GET /offers 3",
        "POST /cart/u{1..30}/sku-{1..20} 4", "GET /cart/u{1..30} 3", "POST /orders/u{1..30} 2",
        "GET /health 1"]


def seconds(text):
    """50, 50s, 1500ms, 2m -> seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time (50s, 1500ms, 2m)")
    return float(match[1]) * {"ms": 0.001, "s": 1, "m": 60, None: 1}[match[2]]


def route(text):
    """METHOD PATH [WEIGHT [BODY]] -> (method, path, weight, body)."""
    parts = text.split(None, 3)
    if len(parts) < 2 or not parts[1].startswith("/"):
        raise argparse.ArgumentTypeError(f"'{text}' is not 'METHOD /PATH [WEIGHT [BODY]]'")
    weight = float(parts[2]) if len(parts) > 2 else 1.0
    return parts[0].upper(), parts[1], weight, (parts[3] if len(parts) > 3 else "")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the application is")
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second (default 40)")
    parser.add_argument("--for", dest="duration", type=seconds, default=10.0, metavar="TIME",
                        help="how long, e.g. 50s; never longer (default 10s)")
    parser.add_argument("--count", type=int, default=0, help="stop after so many requests")
    parser.add_argument("--timeout", type=seconds, default=5.0, help="patience per request")
    parser.add_argument("--route", type=route, action="append", metavar="'METHOD PATH [W [BODY]]'",
                        help="may repeat; {1..9} in a path is a drawn number; default: the shop's")
    parser.add_argument("--seed", type=int, default=1, help="of the order of routes")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    args = parser.parse_args()
    if args.rate <= 0 or args.rate > 5000:
        parser.error("--rate must be above 0 and at most 5000")
    args.route = args.route or [route(text) for text in SHOP]
    return args


async def exchange(host, port, head, body):
    """One request on a connection of its own; returns the status."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(head + body)
        await writer.drain()
        status = await reader.readline()
        if not status.startswith(b"HTTP/1."):
            raise ConnectionResetError("no answer")
        await reader.read(-1)
        return int(status.split()[1])
    finally:
        writer.close()


class Load:
    def __init__(self, args):
        url = urlsplit(args.url)
        self.args, self.host, self.port = args, url.hostname, url.port or 80
        self.draw = random.Random(args.seed)
        self.took, self.status, self.failed = [], Counter(), Counter()
        self.sent, self.late, self.open = 0, 0.0, set()
        self.stop = asyncio.Event()

    def request(self):
        weights = [r[2] for r in self.args.route]
        method, path, _, body = self.draw.choices(self.args.route, weights)[0]
        path = re.sub(r"\{(\d+)\.\.(\d+)\}",
                      lambda m: str(self.draw.randint(int(m[1]), int(m[2]))), path)
        body = body.encode()
        head = (f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
                f"Connection: close\r\nContent-Length: {len(body)}\r\n"
                + ("Content-Type: application/json\r\n" if body else "") + "\r\n")
        return head.encode(), body

    async def one(self):
        began = time.monotonic()
        try:
            self.status[await asyncio.wait_for(
                exchange(self.host, self.port, *self.request()), self.args.timeout)] += 1
            self.took.append(time.monotonic() - began)
        except asyncio.TimeoutError:
            self.failed["timeout"] += 1
        except asyncio.CancelledError:
            self.failed["unanswered"] += 1
        except (OSError, ValueError, IndexError) as exc:
            self.failed[type(exc).__name__] += 1

    async def run(self):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop.set)
        began = time.monotonic()
        end = began + self.args.duration
        while not self.args.count or self.sent < self.args.count:
            due = began + self.sent / self.args.rate
            if due >= end or await self.stopped(due - time.monotonic()):
                break
            self.late = max(self.late, time.monotonic() - due)
            task = asyncio.create_task(self.one())
            self.open.add(task)
            task.add_done_callback(self.open.discard)
            self.sent += 1
        while self.open and not await self.stopped(min(0.02, end - time.monotonic())):
            if time.monotonic() >= end:
                break
        rest = list(self.open)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        return time.monotonic() - began

    async def stopped(self, wait):
        """Waits that long, or returns True at once when a signal asked to end."""
        try:
            await asyncio.wait_for(self.stop.wait(), max(wait, 0))
        except asyncio.TimeoutError:
            pass
        return self.stop.is_set()


def summary(load, took):
    times = sorted(load.took)

    def at(share):
        return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 1) if times else None

    return {"sent": load.sent, "seconds": round(took, 2),
            "ok": sum(n for status, n in load.status.items() if status < 400),
            "status": {str(status): n for status, n in sorted(load.status.items())},
            "failed": dict(sorted(load.failed.items())), "p50_ms": at(.5), "p95_ms": at(.95),
            "p99_ms": at(.99), "late_ms": round(1000 * load.late, 1)}


async def main():
    args = arguments()
    load = Load(args)
    result = summary(load, await load.run())
    if args.json:
        print(json.dumps(result))
    else:
        parts = [f"{n} x {what}" for kind in ("status", "failed")
                 for what, n in result[kind].items()]
        print(f"{result['sent']} requests in {result['seconds']} s: {', '.join(parts) or 'none'}; "
              f"p50 {result['p50_ms']} ms, p95 {result['p95_ms']} ms, p99 {result['p99_ms']} ms")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
