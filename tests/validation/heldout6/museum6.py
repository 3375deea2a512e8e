# SPDX-License-Identifier: Apache-2.0
"""What a ticket costs; without the price list it is the usual price, and that is noted."""
import logging
import os

import httpx
from litestar import Litestar, get

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
log = logging.getLogger("museum")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


@get("/ticket/{kind:int}")
async def ticket(kind: int) -> dict:
    try:
        value = (await client.get(f"/prices/{kind}")).json()["value"]
        return {"ticket": kind, "price": value}
    except httpx.TransportError as exc:
        log.info("price list of %s: %r, taking the usual price", client.base_url, exc)
        return {"ticket": kind, "price": 12, "usual": True}


app = Litestar([ticket])
