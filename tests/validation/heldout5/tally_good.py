# SPDX-License-Identifier: Apache-2.0
"""A nightly script: adds up what thirty shops sold, one after the other, and prints the sum."""
import http.client
import json
import os
import sys
import time
from dataclasses import dataclass


@dataclass
class Shop:
    number: int
    port: int = int(os.environ["PEER_PORT"])

    def sold(self):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            line.request("GET", f"/shop/{self.number}")
            return json.load(line.getresponse())["value"]
        finally:
            line.close()


def sums(shops):
    total = 0
    for shop in shops:
        total += shop.sold()
        yield total
        time.sleep(0.2)


try:
    for total in sums(Shop(n) for n in range(30)):
        print("so far", total, flush=True)
except OSError as exc:
    sys.exit(f"tally: the shops at port {Shop.port} do not answer: {exc!r}; nothing was added up")
