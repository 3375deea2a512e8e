# SPDX-License-Identifier: Apache-2.0
"""A command that reads items and writes them to a new file, and ends."""
import json
import os
import sys
import time
import urllib.request


def lines():
    with urllib.request.urlopen(f"{os.environ['PEER']}/items", timeout=3) as answer:
        for item in json.load(answer):
            yield f"{item['item']};{item['name']}\n"


def harvest(place):
    with open(place, "w", buffering=1, encoding="utf-8") as out:
        for line in lines():
            out.write(line)
            time.sleep(0.01)


harvest(os.path.join(os.environ["DATA"], "harvest.csv"))
