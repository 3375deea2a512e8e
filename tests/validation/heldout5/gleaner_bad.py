# SPDX-License-Identifier: Apache-2.0
"""A worker gleans field after field; its place in the work is kept in a file."""
import json
import logging
import os
import time
import urllib.request
from dataclasses import asdict, dataclass


@dataclass
class Place:
    field: int = 0
    ears: int = 0
    name = os.path.join(os.environ["DATA"], "place.json")

    def keep(self):
        with open(self.name, "w") as out:
            json.dump(asdict(self), out)


def glean(field):
    with urllib.request.urlopen(f"{os.environ['PEER']}/field/{field}", timeout=2) as answer:
        return json.load(answer)["value"]


place = Place()
while True:
    try:
        place.ears += glean(place.field)
        place.field += 1
        place.keep()
    except OSError as exc:
        logging.error("field %d: %r", place.field, exc)
    time.sleep(0.25)
