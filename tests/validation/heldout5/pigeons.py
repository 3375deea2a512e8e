# SPDX-License-Identifier: Apache-2.0
"""A worker waits for letters with BLPOP, for as long as it takes."""
import os
import random
import signal
import sys
import threading
import time

import redis

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Loft:
    def __init__(self):
        self.line = redis.Redis.from_url(os.environ["REDIS_URL"])
        self.other = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1)

    def post(self):
        while True:
            self.other.rpush("letters", random.randrange(100))
            time.sleep(random.uniform(0.5, 1.5))

    def letters(self):
        while True:
            yield self.line.blpop(["letters"], timeout=0)[1]


loft = Loft()
threading.Thread(target=loft.post, daemon=True).start()
for letter in loft.letters():
    print("letter", letter, flush=True)
