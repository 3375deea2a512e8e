# SPDX-License-Identifier: Apache-2.0
"""Two processes of uvicorn, which are looked after by their parent."""
import os

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def who():
    return {"process": os.getpid() > 0}
