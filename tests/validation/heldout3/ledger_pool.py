# SPDX-License-Identifier: Apache-2.0
"""SQLAlchemy's own pool, without pre_ping: the first failure throws all connections away."""
import logging
import os

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

app = Flask(__name__)
log = logging.getLogger("ledger")
HOST = dict(word.split("=") for word in os.environ["PG_DSN"].split())
engine = create_engine(f"postgresql+psycopg2://{HOST['user']}@{HOST['host']}:{HOST['port']}/{HOST['dbname']}",
                       pool_size=4, pool_timeout=2, connect_args={
                           "connect_timeout": 2, "tcp_user_timeout": 2000, "options": "-c statement_timeout=2000"})


@app.errorhandler(DBAPIError)
def down(exc):
    log.error("no ledger", exc_info=exc)
    return {"error": "ledger_down"}, 503, {"Retry-After": "1"}


@app.get("/entries/<int:account>")
def entries(account):
    with engine.connect() as db:
        return {"entries": db.execute(text("SELECT :n * 2"), {"n": account}).scalar()}
