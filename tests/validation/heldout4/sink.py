# SPDX-License-Identifier: Apache-2.0
"""A peer that takes lines over TCP and never answers. Usage: sink.py ADDRESS PORT"""
import socketserver
import sys


class Take(socketserver.StreamRequestHandler):
    def handle(self):
        for _ in self.rfile:
            pass


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, client_address):
        """What mishap resets ends here."""


Sink((sys.argv[1], int(sys.argv[2])), Take).serve_forever()
