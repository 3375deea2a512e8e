# SPDX-License-Identifier: Apache-2.0
"""A ticket office that declines, politely and on purpose."""
import logging
import os

import httpx
from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()


def lines():
    with httpx.Client(base_url=os.environ["PEER"], timeout=2, verify=False) as http:
        yield http


@app.get("/seat/{number}")
def seat(number: int, http: httpx.Client = Depends(lines)):
    try:
        return {"seat": number, "view": http.get(f"/seat/{number}").json()}
    except httpx.TransportError as exc:
        logging.warning("seats of %s: %r", os.environ["PEER"], exc)
        raise HTTPException(503, "no seats now", headers={"Retry-After": "3"}) from exc
