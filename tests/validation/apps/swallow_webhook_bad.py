# SPDX-License-Identifier: Apache-2.0
"""A confirmation is sent by a webhook; whatever goes wrong there, the customer hears "sent"."""
import http.client
import os

from fastapi import FastAPI

app = FastAPI()


@app.post("/confirm/{user}")
def confirm(user: str):
    hook = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=2)
    try:
        hook.request("POST", "/mail", body=f"dear {user}")
        hook.getresponse().read()
    except Exception:
        pass
    finally:
        hook.close()
    return {"sent": True}
