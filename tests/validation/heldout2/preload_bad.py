# SPDX-License-Identifier: Apache-2.0
"""Started with --preload: the connection is made in the master, and shared by its workers."""
import os

import psycopg2

db = psycopg2.connect(os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=2000 options='-c statement_timeout=3000'")
db.autocommit = True


def app(environ, start_response):
    with db.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class")
        body = str(cursor.fetchone()[0]).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
