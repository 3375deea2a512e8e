# SPDX-License-Identifier: Apache-2.0
"""Real servers for the clients under test, each with a directory and a port of its own, outside the
library; and the relay before them, which sees how a connection ends at the peer."""

import contextlib
import errno
import glob
import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from guest import need


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def directory(owner=None):
    """Below /tmp itself: pytest's own directories are closed to other users."""
    path = tempfile.mkdtemp(prefix="mishap-server-")
    try:
        if owner:
            os.chown(path, owner.pw_uid, owner.pw_gid)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _answers(port):
    with socket.socket() as s:
        return not s.connect_ex(("127.0.0.1", port))


@contextlib.contextmanager
def running(argv, ready, seconds=20, **popen):
    """A process from when `ready()` is true; ended by SIGTERM. Skips when it does not get ready."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **popen) as p:
        try:
            end = time.monotonic() + seconds
            while not ready():
                if p.poll() is not None or time.monotonic() > end:
                    pytest.skip("%s does not start here" % os.path.basename(argv[0]))
                time.sleep(0.05)
            yield p
        finally:
            p.terminate()
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()


@contextlib.contextmanager
def redis():
    port = free_port()
    with directory() as d, running([need("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", d,
                                    "--save", "", "--appendonly", "no"], lambda: _answers(port)):
        yield port


@contextlib.contextmanager
def postgres():
    """initdb and the server refuse root: then they run as the user that the package has made."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        pytest.skip("postgresql is not installed")
    programs, owner, prefix = os.path.dirname(found[-1]), None, []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        prefix = [need("setpriv"), "--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]
    port = free_port()
    with directory(owner) as d:
        data = os.path.join(d, "data")
        subprocess.run([*prefix, found[-1], "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
                        "-N"], check=True, cwd="/", stdout=subprocess.DEVNULL)
        with running([*prefix, os.path.join(programs, "postgres"), "-D", data, "-F", "-h", "127.0.0.1", "-p",
                      str(port), "-k", d], lambda: _answers(port), cwd="/"):
            yield port


@contextlib.contextmanager
def rabbit():
    """With an epmd of its own, so that nothing of it stays."""
    server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    if not os.path.exists(server):
        pytest.skip("rabbitmq-server is not installed")
    port, dist, names = free_port(), free_port(), free_port()
    with directory() as d:
        with open(os.path.join(d, "plugins"), "w", encoding="ascii") as f:
            f.write("[].\n")
        env = dict(os.environ, HOME=d, ERL_EPMD_PORT=str(names), ERL_EPMD_ADDRESS="127.0.0.1",
                   RABBITMQ_NODENAME="mishap%d@localhost" % port, RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
                   RABBITMQ_NODE_PORT=str(port), RABBITMQ_DIST_PORT=str(dist), RABBITMQ_MNESIA_BASE=d + "/m",
                   RABBITMQ_LOG_BASE=d + "/log", RABBITMQ_CONFIG_FILE=d + "/none", RABBITMQ_PID_FILE=d + "/pid",
                   RABBITMQ_ENABLED_PLUGINS_FILE=d + "/plugins", RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 1:1")
        with running([need("epmd"), "-port", str(names)], lambda: _answers(names), env=env), \
                running([server], lambda: _answers(port), 90, env=env):
            yield port


def _exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


@contextlib.contextmanager
def kafka():
    """What librdkafka needs of a broker to answer list_topics() in its oldest dialect: every request gets
    the metadata of one broker, which is the relay, and no topics. `advertise()` says where that is."""
    where = {}

    def serve(s):
        with s, contextlib.suppress(OSError, EOFError):
            while True:
                request = _exactly(s, struct.unpack(">i", _exactly(s, 4))[0])
                host = b"127.0.0.1"
                body = request[4:8] + struct.pack(">iih", 1, 1, len(host)) + host
                body += struct.pack(">ii", where["port"], 0)
                s.sendall(struct.pack(">i", len(body)) + body)

    with listener(serve) as port:
        yield port, lambda port: where.update(port=port)


@contextlib.contextmanager
def listener(serve, path=None):
    """Each connection in a thread of its own; at 127.0.0.1, or at a path. Yields the port."""
    s = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    s.bind(path or ("127.0.0.1", 0))
    s.listen(64)

    def run():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield None if path else s.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)
        s.close()


def read_until(s, what):
    """All that came on a socket, as soon as this is in it."""
    got = b""
    while what not in got:
        more = s.recv(65536)
        assert more, got
        got += more
    return got


class Relay:
    """Passes bytes on to a server and back. `ends` says how clients left: "eof", or an errno's name."""

    def __init__(self, to, path=None):
        self.to, self.ends, self.news = to, [], threading.Condition()
        self._listener = listener(self._serve, path)
        self.port = self._listener.__enter__()

    def stop(self):
        self._listener.__exit__(None, None, None)

    @staticmethod
    def _back(server, client):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

    def _serve(self, client):
        end = "eof"
        if client.family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, socket.create_connection(("127.0.0.1", self.to)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._back, args=(server, client), daemon=True)
            back.start()
            try:
                while data := client.recv(65536):
                    server.sendall(data)
            except OSError as e:
                end = errno.errorcode.get(e.errno, type(e).__name__)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join(5)
        with self.news:
            self.ends.append(end)
            self.news.notify_all()

    def saw(self, end, timeout=10):
        """Did a client's connection end like that? None: in any way."""
        with self.news:
            return self.news.wait_for(lambda: end in self.ends or (not end and self.ends), timeout)
