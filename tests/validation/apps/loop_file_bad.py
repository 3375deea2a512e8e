# SPDX-License-Identifier: Apache-2.0
"""A log of orders, written and synced inside `async def`: a slow disk stops every request."""
import os

from fastapi import FastAPI

app = FastAPI()


@app.post("/order")
async def order():
    with open(os.path.join(os.environ["DATA"], "orders"), "a", encoding="utf-8") as out:
        out.write("one teapot\n")
    return {"ordered": 1}


@app.get("/version")
async def version():
    return {"version": 1}
