# SPDX-License-Identifier: Apache-2.0
"""The connection is made before the workers are forked, and is theirs together."""
import http.client
import os
import socket


def connect():
    peer = http.client.HTTPConnection("127.0.0.1", int(os.environ["PEER_PORT"]), timeout=2)
    peer.request("GET", "/json")
    peer.getresponse().read()
    return peer


def serve(listener, peer):
    while True:
        client, _ = listener.accept()
        with client:
            if client.recv(4096):
                peer.request("GET", "/json")
                body = peer.getresponse().read()
                client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as listener:
        shared = connect()
        for _ in range(2):
            if os.fork() == 0:
                serve(listener, shared)
        for _ in range(2):
            os.wait()
