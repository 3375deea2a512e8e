# SPDX-License-Identifier: Apache-2.0
"""Two workers under a supervisor that does not look after them: uvicorn before 0.30."""
import os

import uvicorn


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"well"})


if __name__ == "__main__":
    uvicorn.run("workers_bad:app", port=int(os.environ["PORT"]), workers=2, lifespan="off", log_level="warning")
