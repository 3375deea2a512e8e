# SPDX-License-Identifier: Apache-2.0
"""Pictures of members, from the picture service."""
import logging
import os

import httpx
from quart import Quart, jsonify

app = Quart(__name__)
log = logging.getLogger("avatars")
client = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)


@app.get("/avatar/<int:member>")
async def avatar(member):
    try:
        answer = await client.get(f"/avatars/{member}")
        answer.raise_for_status()
    except httpx.HTTPStatusError as exc:
        status = exc.response.status_code
        log.warning("picture service answered %d", status, exc_info=exc)
        return jsonify(error="no picture", upstream=status), 502
    except httpx.HTTPError as exc:
        log.warning("picture service cannot be reached", exc_info=exc)
        return jsonify(error="no picture"), 502
    return jsonify(member=member, picture=answer.json()["value"])
