# SPDX-License-Identifier: Apache-2.0
"""Starlette, urllib3 with limits, sqlite: healthy, and nothing happens to it."""
import os
import sqlite3

import urllib3
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=1, read=2), maxsize=8)


def seen(request):
    db = sqlite3.connect(os.path.join(os.environ["DATA"], "seen.db"), timeout=2)
    with db:
        db.execute("create table if not exists seen (path text)")
        db.execute("insert into seen values (?)", (request.url.path,))
        number = db.execute("select count(*) from seen").fetchone()[0]
    db.close()
    data = pool.request("GET", os.environ["PEER"] + "/data").data.decode()
    return JSONResponse({"number": number, "data": data})


app = Starlette(routes=[Route("/seen/{name}", seen)])
