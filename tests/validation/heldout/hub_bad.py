# SPDX-License-Identifier: Apache-2.0
"""gevent's server, and a socket that is not gevent's: the hub stands still."""
import os
import urllib.request

from gevent.pywsgi import WSGIServer


def app(environ, start_response):
    if environ["PATH_INFO"] == "/ping":
        body = b"pong"
    else:
        with urllib.request.urlopen(os.environ["PEER"] + "/price", timeout=3) as answer:
            body = answer.read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


WSGIServer(("127.0.0.1", int(os.environ["PORT"])), app, log=None).serve_forever()
