# SPDX-License-Identifier: Apache-2.0
"""A forked child computes; the kept-alive connection that it inherited stays its parent's alone."""
import http.client
import json
import multiprocessing
import os
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer

forks = multiprocessing.get_context("fork")
line = http.client.HTTPConnection(os.environ["PEER"].partition("//")[2], timeout=2)


def compute(data, pipe):
    pipe.send(zlib.crc32(data * 1000))
    pipe.close()


class Checksum(BaseHTTPRequestHandler):
    def do_GET(self):
        line.request("GET", self.path)
        data = line.getresponse().read()
        here, there = forks.Pipe()
        child = forks.Process(target=compute, args=(data, there))
        child.start()
        body = json.dumps({"crc": here.recv()}).encode()
        child.join()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Checksum).serve_forever()
