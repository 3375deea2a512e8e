# SPDX-License-Identifier: Apache-2.0
"""An error of the catalogue's line becomes a LookupError of our own, on purpose, and that a 503."""
import logging
import os

import httpx
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("skus")
client = httpx.Client(base_url=os.environ["PEER"], timeout=2)


class NoCatalogue(LookupError):
    pass


class Catalogue:
    def find(self, sku):
        try:
            return client.get(f"/sku/{sku}").json()
        except httpx.TransportError as exc:
            raise NoCatalogue(sku) from exc


@app.exception_handler(NoCatalogue)
def no_catalogue(request, exc):
    log.warning("catalogue is away for %s", exc, exc_info=exc)
    return JSONResponse({"error": "no_catalogue"}, 503, headers={"Retry-After": "2"})


@app.get("/sku/{sku}")
def sku(sku: str, catalogue: Catalogue = Depends()):
    return catalogue.find(sku)
