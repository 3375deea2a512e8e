# SPDX-License-Identifier: Apache-2.0
"""A file server by http.client, whose timeout is the socket's: for each recv."""
import http.client
import os

from fastapi import FastAPI, HTTPException

app = FastAPI()


@app.get("/file")
def file():
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=0.6)
    try:
        connection.request("GET", "/long")
        return {"size": len(connection.getresponse().read())}
    except OSError as exc:
        print("ERROR no file:", repr(exc), flush=True)
        raise HTTPException(503, "no file") from exc
    finally:
        connection.close()
