# SPDX-License-Identifier: Apache-2.0
"""A client library of our own tries again, and so does the service that uses it."""
import functools
import json
import logging
import os
import random
import time
import urllib.request

from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("tourist")


class SightsClient:
    tries = 4

    def get(self, path):
        for n in range(self.tries):
            try:
                return self.once(path)
            except OSError as exc:
                last = exc
                time.sleep(random.uniform(0.06, 0.12))
        raise last

    def once(self, path):
        with urllib.request.urlopen(os.environ["PEER"] + path, timeout=2) as answer:
            return json.load(answer)


def insist(times):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args):
            for n in range(times):
                try:
                    return function(*args)
                except OSError as exc:
                    log.warning("try %d of %d: %s", n + 1, times, exc)
                    if n + 1 == times:
                        raise
                    time.sleep(random.uniform(0.06, 0.15) * 2 ** n)
        return wrapper
    return decorate


client = SightsClient()


@insist(3)
def sights_of(city):
    return client.get(f"/sights/{city}")


@app.get("/sights/<int:city>")
def sights(city):
    try:
        return sights_of(city)
    except OSError:
        abort(503)
