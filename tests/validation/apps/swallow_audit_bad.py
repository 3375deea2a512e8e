# SPDX-License-Identifier: Apache-2.0
"""An audit trail in a file, lost without a word when the disk is full."""
import os

from flask import Flask

app = Flask(__name__)


def audit(line):
    try:
        with open(os.path.join(os.environ["DATA"], "audit.txt"), "a", encoding="utf-8") as out:
            out.write(line + "\n")
    except OSError:
        return


@app.post("/pay/<user>")
def pay(user):
    audit(f"{user} paid")
    return {"paid": True}
