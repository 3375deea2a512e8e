# SPDX-License-Identifier: Apache-2.0
"""A name with two addresses, of which the first refuses: two connects of one attempt, and it works."""
import os
import socket
import urllib.request

from flask import Flask

app = Flask(__name__)
ask = socket.getaddrinfo


def two_addresses(host, port, *args, **kwargs):
    """Stands for the resolver: the peer is at 127.0.0.2, where nobody is, and at 127.0.0.1."""
    if host != "prices.example":
        return ask(host, port, *args, **kwargs)
    found = ask("127.0.0.1", port, *args, **kwargs)
    return [(*entry[:4], ("127.0.0.2", entry[4][1])) for entry in found] + found


socket.getaddrinfo = two_addresses


@app.get("/quote")
def quote():
    url = f"http://prices.example:{os.environ['PEER_PORT']}/json"
    with urllib.request.urlopen(url, timeout=2) as answer:
        return answer.read()


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
