# SPDX-License-Identifier: Apache-2.0
"""Exchange rates under gevent's workers, out of postgres by way of libpq."""
import logging
import os

import psycopg2
import psycopg2.extensions
from flask import Flask, jsonify
from gevent.socket import wait_read, wait_write

app = Flask(__name__)


def patient(connection):
    """Lets others run while libpq waits."""
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        if state == psycopg2.extensions.POLL_READ:
            wait_read(connection.fileno(), timeout=5)
        else:
            wait_write(connection.fileno(), timeout=5)


psycopg2.extensions.set_wait_callback(patient)


def connect():
    return psycopg2.connect(os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=3000")


@app.route("/rate/<int:n>")
def rate(n):
    try:
        connection = connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s / 7.0", (n,))
            value = float(cursor.fetchone()[0])
        connection.close()
    except (psycopg2.Error, OSError) as exc:
        logging.warning("rates: %r", exc)
        return jsonify(error="no rates"), 503
    return jsonify(rate=value)


@app.route("/currencies")
def currencies():
    return jsonify(["BRL", "EUR"])
