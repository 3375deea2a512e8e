# SPDX-License-Identifier: Apache-2.0
"""Flask; asks three times, whatever the answer was."""
import os
import random
import time

import urllib3
from flask import Flask

app = Flask(__name__)
pool = urllib3.PoolManager(retries=False, timeout=2)


@app.get("/user/<name>")
def user(name):
    for attempt in range(3):
        answer = pool.request("GET", f"{os.environ['PEER']}/missing/{name}")
        if answer.status == 200:
            return answer.data
        time.sleep(random.uniform(0.05, 0.3) * 2 ** attempt)
    return {"error": "no such user"}, 404


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
