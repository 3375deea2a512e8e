# SPDX-License-Identifier: Apache-2.0
"""Receipts are kept on disk before they are confirmed; another route needs no disk."""
import json
import os

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route


class Archive:
    def __init__(self, folder):
        self.folder = folder

    def keep(self, number, value):
        with open(os.path.join(self.folder, f"{number}.json"), "w", encoding="utf-8") as out:
            json.dump(value, out)


archive = Archive(os.environ["DATA"])
numbers = iter(range(1, 1 << 30))


async def receipt(request):
    number = next(numbers)
    await run_in_threadpool(archive.keep, number, {"number": number, "till": request.path_params["till"]})
    return JSONResponse({"kept": True})


async def opening(request):
    return JSONResponse({"open": "9 to 17"})


app = Starlette(routes=[Route("/receipt/{till}", receipt), Route("/opening", opening)])
