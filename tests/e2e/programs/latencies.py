# SPDX-License-Identifier: Apache-2.0
"""latencies.py PORT: asks the peer for a line again and again in a parent, a forked child and a spawned
child, and prints a line for each answer: role, when it was asked (monotonic), how long it took, errno. Ends
when its stdin does."""
import os
import select
import socket
import subprocess
import sys
import time

port = int(sys.argv[1])
role = sys.argv[2] if len(sys.argv) > 2 else None


def once(connection):
    asked, err = time.monotonic(), 0
    try:
        connection.sendall(b"echo hi\n")
        assert connection.recv(100) == b"hi\n"
    except OSError as e:
        err = e.errno
    os.write(1, ("%s %.6f %.6f %d\n" % (role, asked, time.monotonic() - asked, err)).encode())
    return err


def loop():
    connection = socket.create_connection(("127.0.0.1", port))
    while not select.select([0], [], [], 0.01)[0]:
        if once(connection):
            connection = socket.create_connection(("127.0.0.1", port))


if role:
    loop()
else:
    spawned = subprocess.Popen([sys.executable, __file__, str(port), "spawned"])
    forked = os.fork()
    role = "parent" if forked else "forked"
    loop()
    if forked:
        os.waitpid(forked, 0)
        spawned.wait()
