# SPDX-License-Identifier: Apache-2.0
"""A worker waits for letters with BLPOP, for as long as it takes."""
import os
import signal
import sys

import redis

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Loft:
    def __init__(self):
        self.line = redis.Redis.from_url(os.environ["REDIS_URL"])
        self.other = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)

    def letters(self):
        while True:
            self.other.incr("looked")
            yield self.line.blpop(["letters"], timeout=0)[1]


loft = Loft()
loft.other.rpush("letters", *range(4))
for letter in loft.letters():
    print("letter", letter, flush=True)
