# SPDX-License-Identifier: Apache-2.0
"""The manual pages: they are well-formed, and what mishap-events(5) says is enough to read a recording: mhr.py,
written from it alone, and the C reader agree record for record, also where a file is damaged."""

import json
import os
import random
import subprocess

import pytest

import mhr
from guest import BUILD, PRELUDE, PYTHON, need

MISHAP = os.path.join(BUILD, "tools", "mishap")
PAGES = [os.path.join(BUILD, "tools", "man", name) for name in ("mishap.1", "mishap.ini.5", "mishap-events.5")]


@pytest.mark.parametrize("page", PAGES, ids=os.path.basename)
def test_pages_render_without_a_warning(page):
    groff = need("groff")
    done = subprocess.run([groff, "-man", "-Tutf8", "-ww", "-rCHECKSTYLE=3", page], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 100
    with open(page, encoding="utf-8") as f:
        assert not [line for line in f if line.startswith("@")], "something was not filled in"


def test_pages_say_all_there_is():
    """Every key, every verb with its options, every record and field."""
    def rows(subject):
        done = subprocess.run([MISHAP, "list", subject, "--format=json"], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    text = [open(page, encoding="utf-8").read() for page in PAGES]
    for verb in rows("verbs"):
        assert "\n.B %s\n" % verb["verb"] in text[0] and "\n.SS mishap %s\n" % verb["verb"] in text[0]
    assert "\\-\\-fail\\-on" in text[0]
    for key in rows("keys"):
        assert "\n.B %s\n" % key["key"] in text[1]
    events = rows("events")
    assert len([e for e in events if not e["field"]]) == len(mhr.NAMES) > 30
    for e in events:
        if e["field"] and e["number"] != "-":
            assert e["field"] == "text" or e["field"] in mhr.FIELDS[e["event"]]


def by_tool(*paths):
    done = subprocess.run([MISHAP, "events", "--json", *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def agree(path):
    """Both readers give the same records in the same order, as one file is in the order of its times."""
    ours, theirs = mhr.read(path), by_tool(path)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs):
        known = ["event", "at", "tid", *mhr.FIELDS[mine["event"]]]
        assert {k: other.get(k, 0) for k in known} == {k: mine[k] for k in known}
        assert other.get("text", "") == mine["tail"]
    return ours


@pytest.fixture
def rich(guest, peer):
    """A recording that has most types of records."""
    r = guest.command([PYTHON, "-c", PRELUDE + """
import logging
def talk():
    s = connect(); s.settimeout(0.3)
    for _ in range(20):
        s.sendall(b"echo hello\\n"); s.recv(100)
    s.sendall(b"pause 600\\necho x\\n")
    try: s.recv(100)
    except socket.timeout: logging.error("ConnectionError: no answer of redis:6379")
for _ in range(10):
    try: talk()
    except OSError as e: logging.warning("%r", e)
    if _ > 2: time.sleep(0.01)
try: connect(int(sys.argv[3]))
except OSError: pass
open("/tmp/" + "x" * 300, "w") if 0 else None
socket.getaddrinfo("localhost", 80)
""", str(peer.plain), "0", str(peer.closed)],
        config="[run]\nprocesses = *\n[phase one]\nfaults = f\n[fault f]\ncall = recv\nprobability = 5%\n"
               "error = ECONNRESET\n")
    assert r.status == 0, r.stderr
    (name,) = [n for n in os.listdir(r.out) if n.endswith(".mhr")]
    return os.path.join(r.out, name)


def test_the_manual_is_enough_to_read_a_recording(rich):
    events = agree(rich)
    seen = {e["event"] for e in events}
    assert seen >= {"process", "calls", "fault", "phase", "origin", "peer", "stack", "connect", "close", "request",
                    "response", "wait", "waited", "op", "outcome", "log", "sleep", "dns", "exit"}
    (calls,) = [e for e in events if e["event"] == "calls"]
    names = calls["tail"].split()
    assert len(names) == calls["count"]
    assert {names[e["call"]] for e in events if e["event"] == "connect"} == {"connect"}
    assert {names[e["call"]] for e in events if e["event"] == "op" and e["fault"]} == {"recv"}


def test_both_readers_agree_on_damaged_files(rich, tmp_path):
    """Bytes changed, holes torn, ends cut: seeded, so that what fails fails again."""
    with open(rich, "rb") as f:
        data = f.read()
    used, dice = len(data.rstrip(b"\0")), random.Random(20)
    begin = data.index(b" vfork") + 16  # with other names of calls before it, the tool would give other numbers
    path = str(tmp_path / "damaged.mhr")
    for _ in range(60):
        bad = bytearray(data)
        for _ in range(dice.randrange(1, 12)):
            at, n = dice.randrange(begin, used), dice.choice([1, 1, 4, 8, 100])
            bad[at:at + n] = dice.choice([dice.randbytes(n), bytes(n), b"\xff" * n])
        if dice.random() < 0.3:
            del bad[dice.randrange(begin, used):]
        with open(path, "wb") as f:
            f.write(bad)
        # a damaged time makes the tool's order by time another one: compare as sets
        ours = sorted(((e["event"], e["at"], e["tid"], [e[k] for k in mhr.FIELDS.get(e["event"], ())])
                       for e in mhr.read(path)), key=repr)
        theirs = sorted(((e["event"].replace("type", "unknown"), e["at"], e["tid"],
                          [e.get(k, 0) for k in mhr.FIELDS.get(e["event"], ())]) for e in by_tool(path)), key=repr)
        assert ours == theirs


def test_calls_of_another_version_keep_their_names(rich, tmp_path):
    """Numbers of libc calls are those of the file's own list: here one in which two have changed places."""
    with open(rich, "rb") as f:
        data = bytearray(f.read())
    swapped = data.replace(b" recv ", b" #### ", 1).replace(b" send ", b" recv ", 1).replace(b" #### ", b" send ", 1)
    path = str(tmp_path / "other.mhr")
    with open(path, "wb") as f:
        f.write(swapped)
    before = [e.get("call_name") for e in by_tool(rich) if e["event"] in ("op", "wait", "waited", "connect")]
    after = [e.get("call_name") for e in by_tool(path) if e["event"] in ("op", "wait", "waited", "connect")]
    assert "recv" in before and "send" not in before
    assert after == ["send" if name == "recv" else name for name in before]
