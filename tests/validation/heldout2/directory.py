# SPDX-License-Identifier: Apache-2.0
"""People search, in front of a directory that is found by name."""
import logging
import os

import httpx
import stamina
from litestar import Litestar, get
from litestar.exceptions import ServiceUnavailableException

BASE = f"http://localhost:{os.environ['PEER_PORT']}"


@stamina.retry(on=httpx.TransportError, attempts=4, wait_initial=0.1, wait_max=0.4, wait_jitter=0.2)
async def ask(number: int) -> dict:
    async with httpx.AsyncClient(timeout=1, verify=False) as client:
        return (await client.get(f"{BASE}/people/{number}")).json()


@get("/people/{number:int}")
async def people(number: int) -> dict:
    try:
        return await ask(number)
    except httpx.TransportError as exc:
        logging.error("directory at %s: %r", BASE, exc)
        raise ServiceUnavailableException("directory unavailable", headers={"Retry-After": "5"}) from exc


app = Litestar([people])
