# SPDX-License-Identifier: Apache-2.0
"""A record of 64 bytes, written over in place by one call: it is the old one or the new one."""
import logging
import os
import time

from flask import Flask

app = Flask(__name__)
log = logging.getLogger("stamp")
fd = os.open(os.path.join(os.environ["DATA"], "stamp"), os.O_RDWR | os.O_CREAT, 0o600)
os.pwrite(fd, b"never".ljust(64), 0)


@app.post("/stamp")
def stamp():
    try:
        os.pwrite(fd, str(time.time()).encode().ljust(64), 0)
    except OSError as exc:
        log.error("not stamped", exc_info=exc)
        return {"error": "disk"}, 507
    return {"stamped": True}


@app.get("/stamp")
def last():
    return {"stamp": os.pread(fd, 64, 0).decode().strip()}
