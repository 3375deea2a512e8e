# SPDX-License-Identifier: Apache-2.0
"""Bare WSGI; gunicorn ends its workers after some requests each and starts new ones, as told."""
import os
import urllib.request


def app(environ, start_response):
    with urllib.request.urlopen(os.environ["PEER"] + "/data", timeout=2) as answer:
        body = answer.read()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
