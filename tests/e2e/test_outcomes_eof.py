# SPDX-License-Identifier: Apache-2.0
"""Input that ends early has no errno: the error is the exception which the code that got it raises, in the
frame of the call or in one that called it, before the thread makes another call."""

import pytest

from pythons import every_python, need_python, steps

SERVER = """
import http.client, socket, threading

def serve(listener, answer):
    while True:
        peer, _ = listener.accept()
        peer.recv(1000)
        peer.sendall(answer)

def begin(answer):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
    return listener.getsockname()[1]

class Closed(Exception):
    pass

"""

REQUEST = """
port = begin(b"HTTP/1.1 200 OK\\r\\nContent-Length: 9000\\r\\n\\r\\n" + b"x" * 9000)
def ask():
    c = http.client.HTTPConnection("127.0.0.1", port)
    try:
        c.request("GET", "/")
        return c.getresponse().read()
    except http.client.HTTPException as e:
        return type(e).__name__
print(ask())
"""

CLIENT = """
port = begin(b"hello")
def connect():
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"hi")
    return s
"""

OWN = CLIENT + """
def read(s):
    data = s.recv(100)
    if len(data) == 0:
        raise Closed("by the peer")
    return data
def command(s):
    return read(s)
try:
    command(connect())
except Closed:
    print("Closed")
"""

OUTER = CLIENT + """
def read(s):
    return s.recv(100)
def command(s):
    data = read(s)
    data.split()
    if not data:
        raise Closed("by the peer")
try:
    command(connect())
except Closed:
    print("Closed")
"""

# What the same thread raises afterwards, in frames that had nothing to do with it or after another call.
ELSEWHERE = CLIENT + """
def read(s):
    return s.recv(100)
def check(value):
    raise Closed("for a reason of its own")
def main():
    try:
        {}
        read(connect())
        {}
    except (Closed, KeyError) as e:
        print(type(e).__name__)
main()
"""

FAULT = """
    [fault eof]
    call = recv
    side = client
    count = 1
    eof = {}
"""


def _run(guest, python, code, eof="yes"):
    result = guest.code(SERVER + code, python=need_python(python), config=FAULT.format(eof))
    assert result.status == 0, result.stderr
    hit = [e for e in result.faults() if e["op"]]
    assert len(hit) >= 1
    return result.stdout.strip(), [(s[0], s[1], s[2].split(".")[-1])
                                   for s in steps(result.events(), hit[0]["op"])]


@every_python
def test_a_peer_that_is_gone_before_its_answer(guest, python):
    printed, found = _run(guest, python, REQUEST)
    assert printed == "RemoteDisconnected"
    kind = "http.client.RemoteDisconnected"
    assert found[0] == ("born", kind, "_read_status") and found[-1] == ("handled", kind, "ask")


@every_python
def test_an_answer_that_is_cut(guest, python):
    printed, found = _run(guest, python, REQUEST, "after 1000 bytes")
    assert printed == "IncompleteRead"
    assert found[0][:2] == ("born", "http.client.IncompleteRead")
    assert found[-1] == ("handled", "http.client.IncompleteRead", "ask")


@pytest.mark.parametrize("code, function", [(OWN, "read"), (OUTER, "command")], ids=["here", "caller"])
@every_python
def test_an_exception_of_the_library_s_own(guest, python, code, function):
    printed, found = _run(guest, python, code)
    assert printed == "Closed"
    assert found == [("born", "__main__.Closed", function), ("handled", "__main__.Closed", "<module>")]


@pytest.mark.parametrize("after", ["check(1)", "{}['missing']", "connect(); raise Closed()"],
                         ids=["another frame", "no raise statement", "after another call"])
@every_python
def test_another_error_is_not_taken_for_it(guest, python, after):
    printed, found = _run(guest, python, ELSEWHERE.format("pass", after))
    assert printed in ("Closed", "KeyError")
    assert found in ([], [("unseen", "", "")])
