# SPDX-License-Identifier: Apache-2.0
"""Servers that applications under test talk to: a real redis and a real postgres per run, and a mail
peer that takes everything."""
import contextlib
import glob
import itertools
import os
import random
import pwd
import socket
import socketserver
import subprocess
import threading
import time


given = itertools.count()


def free_port():
    """One that is free, and the next one, too; not of those that the kernel gives to who calls out, one of whom
    may be quicker than the server that it is for."""
    while True:
        port = random.randrange(12000, 32000)
        with contextlib.suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


def local_address():
    """One of the loopback that nobody else of us has, for servers whose port has a meaning."""
    return f"127.{os.getpid() // 200 % 200 + 20}.{os.getpid() % 200 + 1}.{next(given) % 200 + 1}"


def wait_for(port, process):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"{process.args[0]} did not start")


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def redis(folder):
    """Yields (pid, port)."""
    port = free_port()
    with ended(subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)) as process:
        wait_for(port, process)
        yield process.pid, port


@contextlib.contextmanager
def postgres(folder):
    """Yields the port. The server does not run as root, so it and its files belong to somebody else."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs:
        raise RuntimeError("postgresql is not installed")
    user = {}
    if os.getuid() == 0:
        account = pwd.getpwnam("postgres")
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        os.chmod(folder, 0o755)
    data, port = os.path.join(folder, "postgres"), free_port()
    os.mkdir(data, 0o700)
    if user:
        os.chown(data, user["user"], user["group"])
    subprocess.run([os.path.join(programs[-1], "initdb"), "-D", data, "-A", "trust", "-U", "mishap", "-N"],
                   check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60, **user)
    server = subprocess.Popen(
        [os.path.join(programs[-1], "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "",
         "-F"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
    try:
        wait_for(port, server)
        time.sleep(0.3)  # until it has recovered nothing and takes sessions
        yield port
    finally:
        server.send_signal(3)  # SIGQUIT: at once, its children too
        server.wait()


class Mail(socketserver.StreamRequestHandler):
    """As much SMTP as smtplib needs."""

    def handle(self):
        self.wfile.write(b"220 mail\r\n")
        data = False
        for line in self.rfile:
            word = line.strip().upper()[:4]
            if data:
                data = word != b"."
                self.wfile.write(b"" if data else b"250 taken\r\n")
            elif word == b"DATA":
                data = True
                self.wfile.write(b"354 go on\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
            if word == b"QUIT":
                return


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Connections that mishap resets end in errors here."""


@contextlib.contextmanager
def mail():
    """Yields the port."""
    with MailServer(("127.0.0.1", 0), Mail) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
