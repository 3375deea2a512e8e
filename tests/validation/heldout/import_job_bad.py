# SPDX-License-Identifier: Apache-2.0
"""A job without a server: fetches pages, each until it comes, if that takes all night."""
import logging
import os
import random
import time
import urllib.request


def fetch(number):
    while True:
        try:
            with urllib.request.urlopen(f"{os.environ['PEER']}/page/{number}", timeout=1) as answer:
                return answer.read()
        except OSError as exc:
            logging.warning("page %d: %r", number, exc)
            time.sleep(random.uniform(0.05, 0.08))


for number in range(30):
    fetch(number)
    time.sleep(0.1)
