# SPDX-License-Identifier: Apache-2.0
"""dogpile.cache on redis, required: no cache, no answer."""
import os
from urllib.parse import urlsplit

from dogpile.cache import make_region
from flask import Flask

app = Flask(__name__)
url = urlsplit(os.environ["REDIS_URL"])
region = make_region().configure("dogpile.cache.redis", expiration_time=20, arguments={
    "host": url.hostname, "port": url.port, "socket_timeout": 1, "redis_expiration_time": 30})


@app.get("/report/<name>")
def report(name):
    return region.get_or_create(f"report:{name}", lambda: f"report of {name}")


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
