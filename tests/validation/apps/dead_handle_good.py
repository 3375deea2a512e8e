# SPDX-License-Identifier: Apache-2.0
"""The same sums over SQLAlchemy's pool, which tests what it has kept."""
import os

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

app = Flask(__name__)
settings = dict(word.split("=") for word in os.environ["PG_DSN"].split())
engine = create_engine("postgresql+psycopg2://{user}@{host}:{port}/{dbname}".format(**settings),
                       pool_size=1, max_overflow=0, pool_timeout=2, pool_pre_ping=True,
                       connect_args={"connect_timeout": 2, "tcp_user_timeout": 2000})


@app.route("/sum/<int:n>")
def total(n):
    try:
        with engine.connect() as connection:
            return {"sum": connection.execute(text("select :n + 1"), {"n": n}).scalar()}
    except SQLAlchemyError as exc:
        app.logger.error("no sum: %r", exc)
        return {"error": "database unavailable"}, 503, {"Retry-After": "2"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=False)
