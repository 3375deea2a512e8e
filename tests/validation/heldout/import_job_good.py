# SPDX-License-Identifier: Apache-2.0
"""A job without a server: fetches pages, four tries each, and what is missing is said in the end."""
import logging
import os
import random
import time
import urllib.request


def fetch(number):
    for attempt in range(4):
        try:
            with urllib.request.urlopen(f"{os.environ['PEER']}/page/{number}", timeout=1) as answer:
                return answer.read()
        except OSError as exc:
            logging.warning("page %d: %r", number, exc)
            time.sleep(random.uniform(0.2, 0.4) * 2 ** attempt)
    return None


missing = []
for number in range(30):
    if fetch(number) is None:
        missing.append(number)
    time.sleep(0.1)
print("missing:", missing, flush=True)
