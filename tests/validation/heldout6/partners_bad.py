# SPDX-License-Identifier: Apache-2.0
"""An article is published: the search index and the newsletter are told of it, both at once."""
import asyncio
import logging
import os

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

log = logging.getLogger("partners")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)
HOOKS = ["/index", "/newsletter"]


async def tell(hook, article):
    answer = await client.post(hook, json={"article": article})
    answer.raise_for_status()


async def publish(request):
    article = request.path_params["article"]
    await asyncio.gather(*(tell(hook, article) for hook in HOOKS), return_exceptions=True)
    return JSONResponse({"article": article, "status": "published"})


app = Starlette(routes=[Route("/publish/{article:int}", publish, methods=["POST"])])
