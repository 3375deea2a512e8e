# SPDX-License-Identifier: Apache-2.0
"""Members of a club out of postgres. The table is looked at once before the workers are forked."""
import os

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

app = Flask(__name__)
HOST = dict(word.split("=") for word in os.environ["PG_DSN"].split())
engine = create_engine(f"postgresql+psycopg2://{HOST['user']}@{HOST['host']}:{HOST['port']}/{HOST['dbname']}",
                       poolclass=QueuePool, pool_size=2, connect_args={
                           "connect_timeout": 2, "tcp_user_timeout": 2000, "options": "-c statement_timeout=2000"})


def sizes(limit):
    with engine.connect() as db:
        return [row.n for row in db.execute(text("SELECT n FROM generate_series(1, :limit) AS n"), {"limit": limit})]


assert sizes(3) == [1, 2, 3]
os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))


@app.get("/members/<int:limit>")
def members(limit):
    return {"members": sizes(limit)}
