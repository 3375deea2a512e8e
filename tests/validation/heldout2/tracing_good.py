# SPDX-License-Identifier: Apache-2.0
"""Answers; spans are sent to the collector by a thread of their own, and dropped when it does not keep up."""
import logging
import os
import queue
import threading
import time

import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

COLLECTOR = f"http://{os.environ['LOCAL']}:4318/v1/traces"
spans = queue.Queue(maxsize=200)


def export():
    session = requests.Session()
    while True:
        span = spans.get()
        try:
            session.post(COLLECTOR, json=span, timeout=1)
        except requests.RequestException as exc:
            logging.warning("span lost: %s", exc)
            time.sleep(0.5)


def hello(request):
    began = time.time_ns()
    answer = PlainTextResponse("hello " + request.path_params["name"])
    try:
        spans.put_nowait({"name": "hello", "begin": began, "end": time.time_ns()})
    except queue.Full:
        pass
    return answer


threading.Thread(target=export, daemon=True).start()
app = Starlette(routes=[Route("/hello/{name}", hello)])
