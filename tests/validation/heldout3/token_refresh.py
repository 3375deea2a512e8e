# SPDX-License-Identifier: Apache-2.0
"""401 means that the token is old: a new one, and the same question with it."""
import logging
import os

import requests
from flask import Flask, abort

app = Flask(__name__)
log = logging.getLogger("token")
DESK = f"http://{os.environ['LOCAL']}:4400"
token = "old"


def ask(path):
    global token
    for _ in range(3):
        answer = requests.get(DESK + path, headers={"Authorization": f"Bearer {token}"}, timeout=2)
        if answer.status_code != 401:
            return answer
        log.info("token %s is over", token)
        token = requests.post(DESK + "/token", timeout=2).json()["token"]
    return answer


@app.get("/files/<int:number>")
def files(number):
    answer = ask(f"/guarded/{number}")
    return answer.json() if answer.ok else abort(502)
