# SPDX-License-Identifier: Apache-2.0
"""tools/pytest: real pytest processes whose tests are put under faults."""
import importlib.util
import os
import subprocess
import sys

import pytest

from guest import BUILD, TREE

PLUGIN = os.path.join(TREE, "tools", "pytest")

PEER = """
import asyncio, socket, threading, time, unittest.mock
import pytest

@pytest.fixture(scope="module")
def peer():
    server = socket.create_server(("127.0.0.1", 0))
    def serve(connection):
        try:
            while connection.recv(100):
                connection.sendall(b"well")
        except OSError:
            pass
    def accept():
        while True:
            try:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
            except OSError:
                return
    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1]
    server.close()

def ask(port):
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"x")
        return connection.recv(10)

def careful(port):
    try:
        return ask(port)
    except OSError:
        return b"stale"
"""
SCENARIO = ("[fault reset]\ncall = recv\nside = client ; the others are the peer's\nerror = ECONNRESET\n"
            "[fault elsewhere]\ncall = recv\npeer = 10.1.1.1\ndelay = 1s\n")


class Suite:
    def __init__(self, folder):
        self.folder = folder
        (folder / "scenario.ini").write_text(SCENARIO, encoding="utf-8")

    def run(self, tests, *words, path=True):
        (self.folder / "test_it.py").write_text(PEER + tests, encoding="utf-8")
        tools = [os.path.join(BUILD, "tools")] if path else []
        environment = {**os.environ, "PATH": ":".join([*tools, os.environ["PATH"]]), "PYTHONPATH": PLUGIN,
                       "PYTHONDONTWRITEBYTECODE": "1",
                       "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        if "-n" in words:
            words += ("-p", "xdist")
        for name in ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER"):
            environment.pop(name, None)
        return subprocess.run([sys.executable, "-m", "pytest", "-p", "pytest_mishap.plugin", "-p", "no:cacheprovider",
                               "-rs", *words], cwd=self.folder, env=environment, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture
def suite(tmp_path):
    return Suite(tmp_path)


FIXTURE = """
def test_delay(peer, chaos):
    with chaos.fault(call="recv", peer="127.0.0.1:%d" % peer, side="client", delay="100ms") as fault:
        begun = time.monotonic()
        assert ask(peer) == b"well" and time.monotonic() - begun >= 0.099
        assert fault.fired() == 1
    begun = time.monotonic()
    ask(peer)
    assert chaos.fired() == 1          # over: what came later is not hit
    chaos.assert_absorbed()

def test_refused(peer, chaos):
    with chaos.fault(call="net.connect", peer="127.0.0.1:%d" % peer, error="ECONNREFUSED") as fault:
        assert careful(peer) == b"stale"
    hit, = fault.hits()
    assert hit.errno == "ECONNREFUSED" and hit.exceptions[0] == "ConnectionRefusedError"
    assert fault.outcomes() == {"handled": 1}
    chaos.assert_absorbed()

def test_once(peer, chaos):
    for again in range(2):             # each use counts anew
        with chaos.fault(call="recv", side="client", error="ECONNRESET", count=1):
            assert [careful(peer), careful(peer)] == [b"stale", b"well"]

def test_two_at_once(peer, chaos):
    with chaos.fault(call="recv", side="client", delay="50ms") as slow, \\
            chaos.fault(call="net.connect", peer="10.0.0.1", error="ETIMEDOUT") as other:
        ask(peer)
    assert slow.fired() == 1 and other.fired() == 0

def test_a_file(tmp_path, chaos):
    with chaos.fault(call="file.write", path=str(tmp_path) + "/**", error="ENOSPC") as fault:
        with pytest.raises(OSError), open(tmp_path / "x", "w") as out:
            out.write("x")
            out.flush()
    assert fault.fired() >= 1

def test_a_name(chaos):
    with chaos.fault(call="dns", peer="shop.internal", error="EAI_AGAIN"):
        with pytest.raises(socket.gaierror, match="emporary"):
            socket.getaddrinfo("shop.internal", 80)

def test_asyncio(peer, chaos):
    async def go():
        reader, writer = await asyncio.open_connection("127.0.0.1", peer)
        writer.write(b"x")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(10), 0.1)
        writer.close()
    with chaos.fault(call="recv", side="client", hang="yes") as fault:
        asyncio.run(go())
    assert fault.fired() == 1

def test_nothing_met_it(chaos):
    with chaos.fault(call="recv", peer="10.0.0.1", delay="1s"):
        with unittest.mock.patch("socket.create_connection"):
            ask(1)
    with pytest.raises(AssertionError, match="faked or mocked"):
        chaos.assert_absorbed()

def test_mistakes(chaos):
    for keys, words in ((dict(call="recv", dealy="1s"), "did you mean 'delay'"), (dict(call="malloc", delay="1s"), "--chaos"),
                        (dict(call="recv", delay="1"), "has no unit")):
        with pytest.raises(Exception, match=words):
            with chaos.fault(**keys):
                pass
    with pytest.raises(ValueError, match="has no fault 'rest'; it has: reset, elsewhere"):
        with chaos.scenario("scenario.ini", "rest"):
            pass
"""


def test_fixture(suite):
    done = suite.run(FIXTURE)
    assert done.returncode == 0 and "9 passed" in done.stdout, done.stdout
    assert "not exercised: no operation met a fault" in done.stdout


MARKED = """
@pytest.mark.chaos("scenario.ini", fault="reset")
def test_breaks(peer):
    assert ask(peer) == b"well"

@pytest.mark.chaos("scenario.ini")
def test_copes(peer):
    assert careful(peer) == b"stale"

@pytest.mark.chaos("scenario.ini", fault="elsewhere")
def test_mocked(peer):
    assert careful(peer) == b"well"

@pytest.mark.chaos("scenario.ini")
def test_wrong_by_itself():
    assert 1 == 2

def test_plain(peer):
    assert ask(peer) == b"well"
"""


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_marker(suite, words):
    if words and importlib.util.find_spec("xdist") is None:
        pytest.skip("needs pytest-xdist")
    done = suite.run(MARKED, *words)
    assert "2 failed, 3 passed" in done.stdout, done.stdout
    assert "1 failed because of an injected fault\n       test_it.py::test_breaks" in done.stdout
    assert "1 failed, and no fault fired" in done.stdout
    assert "1 passed while faults fired" in done.stdout
    assert "1 not exercised: no operation met a fault\n       test_it.py::test_mocked" in done.stdout
    assert "ECONNRESET recv" in done.stdout


PLAIN = """
def test_breaks(peer):
    assert ask(peer) == b"well"

def test_copes(peer):
    assert careful(peer) in (b"well", b"stale")

def test_nothing():
    pass
"""


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_an_unchanged_suite(suite, words):
    if words and importlib.util.find_spec("xdist") is None:
        pytest.skip("needs pytest-xdist")
    done = suite.run(PLAIN, "--chaos", "scenario.ini", *words)
    assert "1 failed, 2 passed" in done.stdout, done.stdout
    assert "1 failed because of an injected fault" in done.stdout and "1 not exercised" in done.stdout
    assert "3 passed" in suite.run(PLAIN, *words).stdout  # and not without


def test_recordings_can_be_kept_and_are_not_otherwise(suite, tmp_path):
    kept = tmp_path / "kept"
    suite.run(MARKED, "--chaos-out", str(kept))
    assert list((kept / "run").glob("*.mhr"))
    before = set(os.listdir("/tmp"))
    suite.run(MARKED)
    assert not [name for name in set(os.listdir("/tmp")) - before if name.startswith("pytest-mishap-")
                and not os.path.exists("/tmp/" + name + "/run")]


def test_without_the_command(suite):
    done = suite.run(FIXTURE, path=False)
    assert done.returncode == 4 and "there is none on the PATH" in done.stdout, done.stdout
    assert suite.run(PLAIN, path=False).returncode == 0


def test_misuse(suite):
    done = suite.run(PLAIN, "--chaos", "no-such.ini")
    assert done.returncode == 4 and "there is no scenario 'no-such.ini'" in done.stdout
    (suite.folder / "scenario.ini").write_text("[fault x]\ncal = recv\n", encoding="utf-8")
    done = suite.run(PLAIN, "--chaos", "scenario.ini")
    assert done.returncode == 4 and "did you mean 'call'" in done.stdout, done.stdout
    assert "no tests ran" in done.stdout or "passed" not in done.stdout


def test_fakeredis_opens_no_socket(suite):
    pytest.importorskip("fakeredis", reason="needs python3-fakeredis")
    done = suite.run("""
@pytest.mark.chaos("scenario.ini")
def test_faked():
    import fakeredis
    assert fakeredis.FakeStrictRedis().set("a", 1)
""")
    assert "1 passed" in done.stdout and "1 not exercised" in done.stdout, done.stdout
