# SPDX-License-Identifier: Apache-2.0
"""The same reports; the descriptor is closed in `finally`."""
import os
import uuid

from flask import Flask

app = Flask(__name__)


@app.post("/report")
def report():
    name = uuid.uuid4().hex
    fd = os.open(os.path.join(os.environ["DATA"], name), os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(fd, b"all is well\n")
    except OSError as exc:
        app.logger.error("report not written: %r", exc)
        return {"error": "no room"}, 503, {"Retry-After": "60"}
    finally:
        os.close(fd)
    return {"written": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
