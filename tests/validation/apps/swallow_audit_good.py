# SPDX-License-Identifier: Apache-2.0
"""The same audit trail; a line that could not be kept goes to the log with its reason."""
import logging
import os

from flask import Flask

app = Flask(__name__)


def audit(line):
    try:
        with open(os.path.join(os.environ["DATA"], "audit.txt"), "a", encoding="utf-8") as out:
            out.write(line + "\n")
    except OSError:
        logging.exception("audit line lost: %s", line)


@app.post("/pay/<user>")
def pay(user):
    audit(f"{user} paid")
    return {"paid": True}
