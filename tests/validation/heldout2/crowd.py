#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A handful of clients as browsers are: kept-alive connections, the next request when there is an answer
and a pause. Usage: crowd.py PORT SECONDS CLIENTS PAUSE PATH..."""
import http.client
import itertools
import json
import sys
import threading
import time
from collections import Counter

port, seconds, clients, pause = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
paths, end, status, lock = sys.argv[5:], time.monotonic() + seconds, Counter(), threading.Lock()


def client(number):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=6)
    for turn in itertools.count(number):
        if time.monotonic() > end:
            return
        try:
            line.request("GET", paths[turn % len(paths)].replace("*", str(turn % 9 + 1)))
            answer = line.getresponse()
            answer.read()
            said = str(answer.status)
        except (OSError, http.client.HTTPException) as exc:
            said = type(exc).__name__
            line.close()
        with lock:
            status[said] += 1
        time.sleep(pause)


threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"sent": sum(status.values()), "status": status}))
