# SPDX-License-Identifier: Apache-2.0
"""Waits for notices of postgres, for as long as there are none, and asks a peer about each."""
import logging
import os
import select
import threading
import time

import psycopg2
import psycopg2.extensions
import requests

logging.basicConfig(level=logging.INFO)


def connect():
    db = psycopg2.connect(os.environ["PG_DSN"])
    db.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
    return db


def notify():
    db = connect()
    for n in range(100):
        time.sleep(0.3 if n % 10 else 2)
        with db.cursor() as cursor:
            cursor.execute("SELECT pg_notify('news', %s)", (str(n),))


def main():
    db = connect()
    with db.cursor() as cursor:
        cursor.execute("LISTEN news")
    session = requests.Session()
    while True:
        select.select([db], [], [])
        db.poll()
        while db.notifies:
            news = db.notifies.pop(0).payload
            try:
                logging.info("news %s: %d", news, session.get(f"{os.environ['PEER']}/n/{news}", timeout=1).status_code)
            except requests.RequestException as exc:
                logging.warning("news %s: %s failed: %r", news, os.environ["PEER"], exc)


threading.Thread(target=notify, daemon=True).start()
main()
