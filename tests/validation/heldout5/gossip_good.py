# SPDX-License-Identifier: Apache-2.0
"""Words go round: a worker asks six houses in turn, as a generator, and tells what it heard."""
import http.client
import itertools
import logging
import os
import time


def words(houses):
    for house in itertools.cycle(houses):
        line = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=2)
        try:
            line.request("GET", f"/word/{house}")
            yield house, line.getresponse().read()
        except OSError as exc:
            note(house, exc)
        finally:
            line.close()


def note(house, exc):
    logging.warning("house %s is mute: %r", house, exc)
    time.sleep(1)


heard = {}
for house, word in words("abcdef"):
    heard[house] = word
    print(len(heard), "houses heard", flush=True)
    time.sleep(0.2)
