# SPDX-License-Identifier: Apache-2.0
"""Two attempts with a drawn pause between them; then the same refusal."""
import os
import random
import time
import urllib.error
import urllib.request

from flask import Flask

app = Flask(__name__)


@app.get("/item/<sku>")
def item(sku):
    for attempt in range(2):
        try:
            with urllib.request.urlopen(f"{os.environ['PEER']}/json?sku={sku}", timeout=2) as got:
                return got.read(), 200, {"Content-Type": "application/json"}
        except urllib.error.URLError as exc:
            app.logger.warning("item unavailable, attempt %d: %r", attempt, exc)
            time.sleep(random.uniform(0.05, 0.15))
    return {"error": "try later"}, 503, {"Retry-After": "1"}
