# SPDX-License-Identifier: Apache-2.0
"""An order earns points, which another service keeps."""
import contextlib
import logging
import os

import requests
from flask import Flask

app = Flask(__name__)
log = logging.getLogger("loyalty")


def earn(customer, points):
    requests.post(f"{os.environ['PEER']}/points/{customer}", json={"points": points}, timeout=2)


@app.post("/order/<customer>")
def order(customer):
    with contextlib.suppress(OSError):
        earn(customer, 10)
    return {"customer": customer, "ordered": True}
