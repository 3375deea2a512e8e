# SPDX-License-Identifier: Apache-2.0
"""Fixtures that the end-to-end tests share."""

import json
import os
import subprocess
import threading

import pytest

from guest import PROGRAMS, PYTHON, Guest, Late


@pytest.fixture
def guest(tmp_path):
    return Guest(tmp_path)


class Peer:
    """programs/peer.py in a process of its own, outside the library."""

    def __init__(self, *args, before=()):
        self.process = subprocess.Popen([*before, PYTHON, os.path.join(PROGRAMS, "peer.py"), *args],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.certificate = args[0] if args else None
        self.ports = json.loads(self.process.stdout.readline())
        self.ends, self.news = [], threading.Condition()
        threading.Thread(target=self._follow, daemon=True).start()

    def __getattr__(self, name):
        return self.__dict__["ports"][name]

    def _follow(self):
        for line in self.process.stdout:
            with self.news:
                self.ends.append(json.loads(line))
                self.news.notify_all()

    def end_of(self, port, timeout=10):
        """How the connection from this client port ended, as the peer saw it."""
        def found():
            return [e for e in self.ends if e["port"] == port]

        with self.news:
            assert self.news.wait_for(found, timeout), "the peer saw no end of connection %d" % port
            end = found()[-1]
            self.ends.remove(end)  # the kernel will give this port to another one
            return end

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(certificate, key): self-signed, for 127.0.0.1."""
    d = tmp_path_factory.mktemp("tls")
    cert, key = str(d / "cert.pem"), str(d / "key.pem")
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", cert], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl cannot make a certificate here")
    return cert, key


@pytest.fixture(scope="session")
def peer(certificate):
    p = Peer(*certificate)
    yield p
    p.stop()


@pytest.fixture(params=["real", "injected"])
def late(request, guest, peer):
    return Late(guest, peer, request.param)
