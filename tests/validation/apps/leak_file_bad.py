# SPDX-License-Identifier: Apache-2.0
"""Reports are written to files that stay open when the disk is full: the error path forgets them."""
import os
import uuid

from flask import Flask

app = Flask(__name__)
writing = {}


@app.post("/report")
def report():
    name = uuid.uuid4().hex
    fd = os.open(os.path.join(os.environ["DATA"], name), os.O_CREAT | os.O_WRONLY, 0o600)
    writing[name] = fd
    try:
        os.write(fd, b"all is well\n")
    except OSError as exc:
        app.logger.error("report not written: %r", exc)
        return {"error": "no room"}, 503, {"Retry-After": "60"}
    os.close(writing.pop(name))
    return {"written": True}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
