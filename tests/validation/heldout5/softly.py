# SPDX-License-Identifier: Apache-2.0
"""A structlog that is told of failures as of anything else."""
import os

import requests
import structlog
from flask import Flask, jsonify

app = Flask(__name__)
structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer()])
log = structlog.get_logger()


@app.route("/moon/<int:day>")
def moon(day):
    try:
        answer = requests.get(f"{os.environ['PEER']}/moon/{day}", timeout=2)
        return jsonify(day=day, moon=answer.json())
    except requests.RequestException as exc:
        log.info("no moon", peer=os.environ["PEER"], error=repr(exc))
        return jsonify(error="no moon"), 503


app.run(port=int(os.environ["PORT"]), threaded=True)
