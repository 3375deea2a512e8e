# SPDX-License-Identifier: Apache-2.0
"""Only the first line of a file is wanted; redis is sent to by a library, which sends all of it; logs go line by line."""
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=2)
NOTES = os.path.join(os.environ["DATA"], "notes.txt")

with open(NOTES, "w") as out:
    out.write("3.2\n" + "Things that changed since.\n" * 40)


@app.route("/release")
def release():
    with open(NOTES) as notes:
        name = notes.readline().strip()
    with open(os.path.join(os.environ["DATA"], "asked.txt"), "a") as asked:
        asked.write(f"somebody has asked for {name} again\n")
    return {"release": name, "asked": store.incr("asked:" + "x" * 40)}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]), threaded=True)
