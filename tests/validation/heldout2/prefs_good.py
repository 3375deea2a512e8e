# SPDX-License-Identifier: Apache-2.0
"""Preferences of users, one JSON file each, replaced as a whole."""
import json
import os
import tempfile
from pathlib import Path

from flask import Flask, jsonify, request

app = Flask(__name__)
ROOT = Path(os.environ["DATA"])


def replace(path, text):
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


@app.post("/prefs/<int:user>")
def save(user):
    record = {"user": user, "theme": request.get_data(as_text=True), "history": list(range(4000))}
    try:
        replace(ROOT / f"{user}.json", json.dumps(record))
    except OSError as exc:
        app.logger.error("preferences of %d not saved in %s", user, ROOT, exc_info=True)
        return jsonify(error=exc.strerror), 507
    return {"saved": True}


@app.get("/prefs/<int:user>")
def load(user):
    path = ROOT / f"{user}.json"
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
