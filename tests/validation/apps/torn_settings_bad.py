# SPDX-License-Identifier: Apache-2.0
"""Settings are written in place, and a sync that failed is not minded."""
import json
import logging
import os

from flask import Flask, request

log = logging.getLogger("settings")
app = Flask(__name__)
PATH = os.path.join(os.environ["DATA"], "settings.json")


@app.errorhandler(OSError)
def no_disk(exc):
    log.error("settings not saved", exc_info=exc)
    return {"error": "not saved"}, 503


@app.post("/settings")
def save():
    with open(PATH, "wb") as out:
        out.write(json.dumps({"settings": request.get_data(as_text=True)}).encode())
        out.flush()
        try:
            os.fsync(out.fileno())
        except OSError:
            log.warning("fsync failed", exc_info=True)
    return {"saved": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
