# SPDX-License-Identifier: Apache-2.0
"""A server beside which a report is made every second, by a program that may fail; nobody waits for it."""
import os
import subprocess
import sys
import threading
import time

from flask import Flask

app = Flask(__name__)
REPORT = "import os, redis; redis.from_url(os.environ['REDIS_URL']).incr('reports')"


def report():
    while True:
        if subprocess.run([sys.executable, "-c", REPORT], stderr=subprocess.DEVNULL).returncode:
            app.logger.warning("no report this time")
        time.sleep(1)


@app.route("/hello")
def hello():
    return {"say": "hello"}


if __name__ == "__main__":
    threading.Thread(target=report, daemon=True).start()
    app.run(port=int(os.environ["PORT"]), threaded=True)
