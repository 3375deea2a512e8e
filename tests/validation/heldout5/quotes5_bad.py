# SPDX-License-Identifier: Apache-2.0
"""Quotes of a back office; the hours are our own."""
import http.client
import json
import logging
import os

from flask import Flask, jsonify


class Office:
    def __init__(self, host, port):
        self.address = host, port

    def quote(self, number):
        line = http.client.HTTPConnection(*self.address)
        try:
            line.request("GET", f"/quote/{number}")
            return json.load(line.getresponse())
        finally:
            line.close()


class Desk:
    def __init__(self, office):
        self.office = office

    def quote(self, number):
        try:
            return jsonify(quote=self.office.quote(number))
        except (OSError, http.client.HTTPException) as exc:
            logging.error("office at %s: %r", self.office.address, exc)
            return jsonify(error="no quote now"), 503


app, desk = Flask(__name__), Desk(Office("127.0.0.1", int(os.environ["PEER_PORT"])))
app.add_url_rule("/quote/<int:number>", "quote", desk.quote)
app.add_url_rule("/hours", "hours", lambda: jsonify(monday="nine to five", sunday="shut"))
app.run(port=int(os.environ["PORT"]), threaded=True)
