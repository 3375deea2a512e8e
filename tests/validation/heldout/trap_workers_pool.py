# SPDX-License-Identifier: Apache-2.0
"""A job without a server: a thread pool asks the peer; what fails is collected, told and left out."""
import os
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed


def fetch(number):
    with urllib.request.urlopen(f"{os.environ['PEER']}/row/{number}", timeout=1) as answer:
        return answer.read()


with ThreadPoolExecutor(4) as threads:
    for batch in range(12):
        waiting = {threads.submit(fetch, batch * 4 + k): k for k in range(4)}
        for future in as_completed(waiting):
            try:
                future.result()
            except OSError as exc:
                print("row", batch, waiting[future], "is left out:", repr(exc), flush=True)
        time.sleep(0.4)
