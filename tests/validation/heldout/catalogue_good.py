# SPDX-License-Identifier: Apache-2.0
"""Bare WSGI under gunicorn; when the source is away the catalogue is closed, and says so."""
import json
import logging
import os
import urllib.request


def items():
    try:
        with urllib.request.urlopen(os.environ["PEER"] + "/items", timeout=1) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        logging.exception("no items")
        return None


def app(environ, start_response):
    found = items()
    body = json.dumps({"error": "unavailable"} if found is None else found).encode()
    start_response("503 Service Unavailable" if found is None else "200 OK",
                   [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
