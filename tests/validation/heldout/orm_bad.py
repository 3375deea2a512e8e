# SPDX-License-Identifier: Apache-2.0
"""Starlette without FastAPI, SQLAlchemy over postgres: nobody expects the connection to break."""
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


app = Starlette(routes=[Route("/item/{n:int}", item)])
