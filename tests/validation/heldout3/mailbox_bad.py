# SPDX-License-Identifier: Apache-2.0
"""Mail of a user, on urllib3 alone; the peer closes each connection."""
import json
import os

import urllib3
from flask import Flask

app = Flask(__name__)
pool = urllib3.PoolManager(retries=False, timeout=2, headers={"Connection": "close"})


@app.get("/mailbox/<int:user>")
def mailbox(user):
    return json.loads(pool.request("GET", f"{os.environ['PEER']}/mailbox/{user}").data)
