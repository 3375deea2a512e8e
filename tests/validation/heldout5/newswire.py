# SPDX-License-Identifier: Apache-2.0
"""Waits for news, which take two seconds to come; its limit is 25 seconds, and each call is a poll."""
import http.client
import logging
import os
import random
import time

line = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=25)
while True:
    try:
        line.request("GET", "/longpoll")
        print("news", len(line.getresponse().read()), flush=True)
    except (OSError, http.client.HTTPException) as exc:
        logging.warning("wire %s:%s: %r", line.host, line.port, exc)
        line.close()
        time.sleep(random.uniform(1, 2))
