# SPDX-License-Identifier: Apache-2.0
"""The same confirmation; a lost one is logged and refused, so that the caller can ask again."""
import http.client
import logging
import os

from fastapi import FastAPI, HTTPException

log = logging.getLogger("uvicorn.error")
app = FastAPI()


@app.post("/confirm/{user}")
def confirm(user: str):
    hook = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=2)
    try:
        hook.request("POST", "/mail", body=f"dear {user}")
        hook.getresponse().read()
    except (OSError, http.client.HTTPException) as exc:
        log.exception("confirmation not sent")
        raise HTTPException(503, "not sent", headers={"Retry-After": "5"}) from exc
    finally:
        hook.close()
    return {"sent": True}
