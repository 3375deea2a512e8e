# SPDX-License-Identifier: Apache-2.0
"""Flask in threads; each request writes its line to the file before it is answered."""
import logging.handlers
import os

from flask import Flask

app = Flask(__name__)
audit = logging.getLogger("audit")
audit.setLevel(logging.INFO)
file = logging.handlers.RotatingFileHandler(os.path.join(os.environ["DATA"], "audit.log"), maxBytes=10**6)
audit.addHandler(file)


@app.get("/do/<what>")
def do(what):
    audit.info("asked to do %s", what)
    return {"done": what}


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
