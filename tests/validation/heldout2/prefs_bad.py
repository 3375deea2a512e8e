# SPDX-License-Identifier: Apache-2.0
"""Preferences of users, one JSON file each."""
import json
import os
from pathlib import Path

from flask import Flask, request

app = Flask(__name__)
ROOT = Path(os.environ["DATA"])


@app.post("/prefs/<int:user>")
def save(user):
    record = {"user": user, "theme": request.get_data(as_text=True), "history": list(range(4000))}
    with open(ROOT / f"{user}.json", "w", encoding="utf-8") as out:
        json.dump(record, out)
    return {"saved": True}


@app.get("/prefs/<int:user>")
def load(user):
    path = ROOT / f"{user}.json"
    return json.loads(path.read_text()) if path.exists() else {}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
