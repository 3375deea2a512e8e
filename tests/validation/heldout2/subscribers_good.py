# SPDX-License-Identifier: Apache-2.0
"""Eight processes that listen to a channel; after a loss each tries again after a time of its own."""
import logging
import multiprocessing
import os
import random
import time

import redis


def listen(number):
    store = redis.Redis.from_url(os.environ["REDIS_URL"])
    while True:
        try:
            channel = store.pubsub()
            channel.subscribe("news")
            for message in channel.listen():
                logging.info("%d: %s", number, message)
        except redis.ConnectionError as exc:
            logging.warning("subscriber %d: %s", number, exc)
            time.sleep(random.uniform(0.5, 3))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    everyone = [multiprocessing.Process(target=listen, args=(n,)) for n in range(8)]
    for each in everyone:
        each.start()
    for each in everyone:
        each.join()
