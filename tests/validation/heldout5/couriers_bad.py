# SPDX-License-Identifier: Apache-2.0
"""Four processes carry parcels; a parcel is tried five times."""
import logging
import multiprocessing
import os
import random
import time
import urllib.request


class Courier(multiprocessing.Process):
    pause = 0.4

    def __init__(self, number):
        super().__init__()
        self.number = number

    def run(self):
        random.seed(self.number)
        while True:
            self.carry(random.randrange(1000))
            time.sleep(random.uniform(0.3, 1.2))

    def carry(self, parcel):
        for turn in range(5):
            try:
                with urllib.request.urlopen(f"{os.environ['PEER']}/parcel/{parcel}", timeout=2) as answer:
                    return answer.read()
            except OSError as exc:
                logging.warning("courier %d, parcel %d: %r", self.number, parcel, exc)
                time.sleep(self.pause)
        return None


if __name__ == "__main__":
    couriers = [Courier(n) for n in range(4)]
    for each in couriers:
        each.start()
    for each in couriers:
        each.join()
