# SPDX-License-Identifier: Apache-2.0
"""Starlette without FastAPI, SQLAlchemy over postgres: one handler for a database that is away."""
import logging
import os

import psycopg2
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

engine = sa.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(os.environ["PG_DSN"]))


def item(request):
    with engine.connect() as connection:
        row = connection.execute(sa.text("select :n + 1"), {"n": request.path_params["n"]}).scalar()
    return JSONResponse({"item": row})


async def away(request, exc):
    logging.getLogger("orm").error("database is away: %s", exc.orig, exc_info=exc)
    return JSONResponse({"error": "database_unavailable"}, 503, headers={"Retry-After": "2"})


app = Starlette(routes=[Route("/item/{n:int}", item)],
                exception_handlers={sa.exc.OperationalError: away})
