# SPDX-License-Identifier: Apache-2.0
"""Two pages on one database with two connections; one of them also asks somebody else."""
import logging
import os

import requests
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

app = FastAPI()
log = logging.getLogger("portal")
HOST = dict(word.split("=") for word in os.environ["PG_DSN"].split())
engine = create_engine(f"postgresql+psycopg2://{HOST['user']}@{HOST['host']}:{HOST['port']}/{HOST['dbname']}",
                       pool_size=2, max_overflow=0, pool_timeout=5, connect_args={
                           "connect_timeout": 2, "tcp_user_timeout": 2000, "options": "-c statement_timeout=2000"})


def name(db, number):
    return db.execute(text("SELECT 'user ' || :n"), {"n": number}).scalar()


@app.exception_handler(SQLAlchemyError)
@app.exception_handler(requests.RequestException)
def down(request, exc):
    log.error("%s", request.url.path, exc_info=exc)
    return JSONResponse({"error": "down"}, 503, headers={"Retry-After": "2"})


@app.get("/summary/{number}")
def summary(number: int):
    with engine.connect() as db:
        news = requests.get(f"{os.environ['PEER']}/news/{number}", timeout=3).json()
        return {"name": name(db, number), "news": news}


@app.get("/me/{number}")
def me(number: int):
    with engine.connect() as db:
        return {"name": name(db, number)}
