# SPDX-License-Identifier: Apache-2.0
"""A WSGI application whose work is done by greenlets: each route asks a peer of its own, in its handler's
greenlet or in those that this one begins. PEERS: their ports, in the order of ROUTES. `greenlet_app.py PORT`
serves it with gevent's own server."""

from gevent import monkey

monkey.patch_all()

import http.client  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402
from gevent.pool import Pool  # noqa: E402

KINDS = ["direct", "spawned", "pool", "nested", "background"]
ROUTES = ["/%s-%s" % (kind, which) for which in "ab" for kind in KINDS]
PEERS = dict(zip(ROUTES, map(int, os.environ["PEERS"].split())))


def ask(port):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.request("GET", "/")
    c.getresponse().read()
    c.close()


def direct(port):
    ask(port)
    gevent.sleep(0.002)
    ask(port)


def spawned(port):
    gevent.joinall([gevent.spawn(ask, port) for _ in range(2)], raise_error=True)


def pool(port):
    Pool(2).map(ask, [port] * 3)


def nested(port):
    gevent.spawn(spawned, port).get()


def later(port):
    gevent.sleep(0.3)
    ask(port)


def background(port):
    gevent.spawn(later, port)


def app(environ, start_response):
    path = environ["PATH_INFO"]
    globals()[path[1:].split("-")[0]](PEERS[path])
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


if __name__ == "__main__":
    from gevent.pywsgi import WSGIServer

    WSGIServer(("127.0.0.1", int(sys.argv[1])), app, log=None).serve_forever()
