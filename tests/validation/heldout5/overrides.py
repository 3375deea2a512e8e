# SPDX-License-Identifier: Apache-2.0
"""Looks for files that need not be there, at its start and for each page."""
import configparser
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

settings = configparser.ConfigParser()
settings.read([f"/etc/{name}.ini" for name in ("overrides", "local", "site")] + ["overrides.ini"])


def page(path):
    for folder in ("theme", "local", "default"):
        try:
            with open(os.path.join(os.environ["DATA"], folder, path), "rb") as source:
                return source.read()
        except FileNotFoundError:
            continue
    return b"<p>a page of the house, as it always was</p>"


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        body = page(self.path.strip("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Pages).serve_forever()
