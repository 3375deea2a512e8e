# SPDX-License-Identifier: Apache-2.0
"""Two processes fetch pages, one batch after the other, until they are stopped."""
import multiprocessing
import os
import time

import requests

PEER = os.environ["PEER"]
session = None


def begin():
    global session
    session = requests.Session()


def fetch(page):
    return session.get(f"{PEER}/page/{page}", timeout=2).status_code


def main():
    requests.get(f"{PEER}/robots.txt", timeout=2)
    with multiprocessing.get_context("fork").Pool(2, initializer=begin) as pool:
        while True:
            pool.map(fetch, range(8), chunksize=4)
            time.sleep(0.2)


if __name__ == "__main__":
    main()
