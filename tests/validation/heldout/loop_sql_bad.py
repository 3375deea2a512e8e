# SPDX-License-Identifier: Apache-2.0
"""aiohttp server that asks postgres with psycopg2 on the loop's own thread."""
import os

import psycopg2
from aiohttp import web

DSN = os.environ["PG_DSN"] + " connect_timeout=2 tcp_user_timeout=3000"


def total(n):
    connection = psycopg2.connect(DSN)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select %s * 2", (n,))
            return cursor.fetchone()[0]
    finally:
        connection.close()


async def show(request):
    return web.json_response({"total": total(int(request.match_info["n"]))})


async def ping(request):
    return web.Response(text="pong")


app = web.Application()
app.router.add_get("/total/{n}", show)
app.router.add_get("/ping", ping)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
