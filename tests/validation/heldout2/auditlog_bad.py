# SPDX-License-Identifier: Apache-2.0
import logging
import os

from flask import Flask, request

app = Flask(__name__)
audit = logging.getLogger("audit")
audit.setLevel(logging.INFO)
audit.addHandler(logging.FileHandler(os.path.join(os.environ["DATA"], "audit.log")))


@app.route("/view/<int:doc>")
def view(doc):
    audit.info("%s looked at %d", request.remote_addr, doc)
    return {"doc": doc, "pages": doc * 3}
