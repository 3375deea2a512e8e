# SPDX-License-Identifier: Apache-2.0
"""Answers, and sends a span for each answer to the collector."""
import os
import time

import requests
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

COLLECTOR = f"http://{os.environ['LOCAL']}:4318/v1/traces"
session = requests.Session()


def hello(request):
    began = time.time_ns()
    answer = PlainTextResponse("hello " + request.path_params["name"])
    session.post(COLLECTOR, json={"name": "hello", "begin": began, "end": time.time_ns()}, timeout=5)
    return answer


app = Starlette(routes=[Route("/hello/{name}", hello)])
