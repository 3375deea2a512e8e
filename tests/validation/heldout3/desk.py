#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A peer that wants more than the usual one: old tokens are refused, jobs take a while, and who asks every
other time has asked too much. Usage: desk.py ADDRESS PORT"""
import itertools
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

tokens, jobs, asked = itertools.count(), itertools.count(), itertools.count()
missing, uses = {}, {}


class Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        kind = self.path.split("/")[1]
        if kind == "guarded":  # a token is good for five questions
            token = self.headers.get("Authorization", "")
            uses[token] = uses.get(token, 0) + 1
            good = token != "Bearer old" and uses[token] <= 5
            self.answer({"value": 42} if good else {"error": "token"}, 200 if good else 401)
        elif kind == "job":
            missing[self.path] = missing.get(self.path, 4) - 1
            done = missing[self.path] <= 0
            self.answer({"job": "done"} if done else {"error": "not yet"}, 200 if done else 404)
        elif kind == "limited" and next(asked) % 2 == 0:
            self.answer({"error": "too many"}, 429, ("Retry-After", "2"))
        else:
            self.answer({"value": 42})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer({"token": f"t{next(tokens)}", "job": next(jobs)})

    def answer(self, said, status=200, *more):
        body = json.dumps(said).encode()
        self.send_response(status)
        for header in more:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Desk).serve_forever()
