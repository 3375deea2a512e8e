# SPDX-License-Identifier: Apache-2.0
"""The same log, written by a thread while the loop goes on."""
import asyncio
import os

from fastapi import FastAPI

app = FastAPI()


def write():
    with open(os.path.join(os.environ["DATA"], "orders"), "a", encoding="utf-8") as out:
        out.write("one teapot\n")


@app.post("/order")
async def order():
    await asyncio.get_running_loop().run_in_executor(None, write)
    return {"ordered": 1}


@app.get("/version")
async def version():
    return {"version": 1}
