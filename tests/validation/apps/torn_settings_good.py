# SPDX-License-Identifier: Apache-2.0
"""Settings are written beside, synced, and renamed over the old ones."""
import json
import logging
import os
import tempfile

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
    fd, beside = tempfile.mkstemp(dir=os.environ["DATA"])
    try:
        with os.fdopen(fd, "wb") as out:
            out.write(json.dumps({"settings": request.get_data(as_text=True)}).encode())
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, PATH)
    except OSError:
        os.unlink(beside)
        raise
    return {"saved": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
