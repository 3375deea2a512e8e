# SPDX-License-Identifier: Apache-2.0
"""Bad scenarios, bad directories and full disks: the program must not notice, and mishap says once why
it does nothing."""

import os
import re
import shutil
import subprocess

import pytest

from guest import LIBRARY, PRELUDE, PYTHON

FIRES = "[run]\nprocesses = *\n[fault f]\ncall = connect\nerror = ECONNREFUSED\n"
PROGRAM = PRELUDE + """
errors = []
for _ in range(3):
    s = socket.socket(); errors.append(s.connect_ex(("127.0.0.1", port))); s.close()
print(json.dumps(errors)); sys.exit(7)
"""


def run(guest, peer, **how):
    return guest.command([PYTHON, "-c", PROGRAM, str(peer.plain), "0"], **how)


def untouched(r):
    assert r.status == 7, r.stderr
    assert r.stdout == "[0, 0, 0]\n"
    other = [line for line in r.stderr.splitlines() if not re.match(r"mishap: |.+:\d+: ", line)]
    assert other == [], r.stderr


def bad_configs(directory):
    """name: (path, the line that its message must name; None when any will do)"""
    path = {n: os.path.join(directory, n + ".ini")
            for n in ("typo", "key", "value", "directory", "noise", "binary", "missing", "long", "unreadable")}
    text = {"typo": FIRES.replace("error =", "eror ="), "key": FIRES.replace("[fault f]", "[fualt f]"),
            "value": FIRES.replace("ECONNREFUSED", "ECONREFUSED"), "unreadable": FIRES,
            "long": FIRES + "peer = " + "x" * 100000 + "\n"}
    for name, body in text.items():
        with open(path[name], "w", encoding="utf-8") as f:
            f.write(body)
    with open(path["noise"], "wb") as f:
        f.write((b"noise = is not\n[what] we expect\n" * 400000)[:10 << 20])
    with open(path["binary"], "wb") as f:
        f.write(bytes(range(256)) * 64)
    os.mkdir(path["directory"])
    os.chmod(path["unreadable"], 0)
    return path


@pytest.mark.parametrize("name, line", [
    ("typo", 5), ("key", 3), ("value", 5), ("long", 6), ("directory", None), ("noise", None), ("binary", None),
    ("missing", None),
])
def test_a_bad_scenario_injects_nothing(guest, peer, tmp_path, name, line):
    path = bad_configs(str(tmp_path))[name]
    r = run(guest, peer, config=path)
    untouched(r)
    assert r.stderr, "nothing was said"
    assert path in r.stderr
    if line:
        assert "%s:%d: " % (path, line) in r.stderr, r.stderr
    assert len(r.stderr) < 20000, "a bad scenario must not flood stderr"
    assert r.seconds < 10
    notes = r.events("note")
    assert [n for n in notes if n["code"] == 1], "not recorded: %r" % notes
    assert not r.faults()


def test_an_unreadable_scenario(guest, peer, tmp_path):
    """Root reads every file but one: the memory of the process itself begins with a hole."""
    path = "/proc/self/mem" if os.getuid() == 0 else bad_configs(str(tmp_path))["unreadable"]
    r = run(guest, peer, config=path)
    untouched(r)
    assert path in r.stderr


def test_two_scenarios_one_bad(guest, peer, tmp_path):
    good = guest.config(FIRES)
    bad = bad_configs(str(tmp_path))["typo"]
    r = run(guest, peer, config=good + ":" + bad)
    untouched(r)
    assert "%s:5: " % bad in r.stderr


def test_said_once_not_by_every_child(guest, peer, tmp_path):
    """fork does not repeat it."""
    r = guest.code("""
        import os
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
    """, config=bad_configs(str(tmp_path))["typo"])
    assert r.status == 0 and r.stderr.count("typo.ini:5:") == 1, r.stderr


@pytest.mark.parametrize("what", ["file", "below a file", "unwritable", "long"])
def test_an_output_directory_that_cannot_be_used(guest, peer, tmp_path, what):
    """Nothing recorded means nothing injected."""
    out = tmp_path / what
    (tmp_path / "file").write_text("not a directory")
    if what == "below a file":
        out = tmp_path / "file" / "out"
    elif what == "unwritable":
        out = "/proc/sys"
    elif what == "long":
        out = tmp_path / ("x" * 200) / ("y" * 200) / ("z" * 200)
    r = run(guest, peer, config=FIRES, out=str(out))
    untouched(r)
    assert len([line for line in r.said]) == 1, r.stderr


def test_an_output_directory_is_made(guest, peer, tmp_path):
    out = tmp_path / "a" / "new" / "place"
    r = run(guest, peer, config=FIRES, out=str(out))
    assert (r.status, r.stdout, r.stderr) == (7, "[111, 111, 111]\n", "")
    assert len(r.faults()) == 3


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 KiB: too small for a recording."""
    place = tmp_path / "tiny"
    place.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)],
                                     stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("cannot mount a small tmpfs here")
    yield str(place)
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(guest, peer, tiny_disk):
    r = run(guest, peer, config=FIRES, out=tiny_disk)
    untouched(r)
    assert len(r.said) == 1, r.stderr


def test_a_disk_that_fills_up_during_the_run(guest, peer, tmp_path):
    """Room for the control page and the first segment only: what was recorded stays, injection stops, the program goes on."""
    place = tmp_path / "small"
    place.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2400k", "tmpfs", str(place)],
                                     stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("cannot mount a small tmpfs here")
    try:
        r = guest.command([PYTHON, "-c", PRELUDE + """
errors = []
for _ in range(20000):
    s = socket.socket(); errors.append(s.connect_ex(("127.0.0.1", port))); s.close()
    if errors[-1] == 0: break
reply(injected=errors.count(111), last=errors[-1], n=len(errors))
""", str(peer.plain), "0"], config=FIRES, out=str(place))
        figures = r.json()
        assert figures["last"] == 0, "injection went on without a recording"
        assert figures["injected"] == len(r.faults()) > 100
        assert len(r.said) == 1, r.stderr
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_the_kill_switch(guest, peer):
    r = run(guest, peer, config=FIRES, env={"MISHAP_DISABLE": "1"})
    untouched(r)
    assert r.stderr == ""
    assert os.listdir(r.out) == []


def test_only_ld_preload_observes(guest, peer, tmp_path):
    env = guest.environment(None, True)
    p = subprocess.run([PYTHON, "-c", PROGRAM, str(peer.plain), "0"], env=env, cwd=str(tmp_path),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert (p.returncode, p.stdout, p.stderr) == (7, b"[0, 0, 0]\n", b"")


def test_other_programs_do_not_take_part(guest, peer):
    """By default python* takes part and what it is not does not: neither faults nor files."""
    config = FIRES.replace("processes = *\n", "")
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("curl is not installed")
    r = guest.command([curl, "-s", "http://127.0.0.1:%d/" % peer.http], config=config)
    assert r.status == 0 and "ok" in r.stdout and r.stderr == ""
    assert not [n for n in os.listdir(r.out) if n.endswith(".mhr")]
    r = guest.command([PYTHON, "-c", PROGRAM, str(peer.plain), "0"], config=config)
    assert r.stdout == "[111, 111, 111]\n"


@pytest.mark.parametrize("argv", [
    ["bash", "-c", "exec 5>&1; echo a >&5; (echo b; exit 3); echo $?; x=$(echo c | tr c d); echo $x; ls /proc/self/fd"],
    ["sh", "-c", "for i in 1 2 3; do echo $i | cat; done; ulimit -n; umask; exit 4"],
    ["redis-server", "--version"], ["openssl", "version"], ["curl", "--version"], ["git", "--version"],
    ["ls", "-l", "/proc/self/fd/0"],
])
def test_programs_that_are_not_python_are_untouched(guest, argv):
    if not shutil.which(argv[0]):
        pytest.skip(argv[0] + " is not installed")

    def plain(text):
        return re.sub(r"\d+ .*\d\d:\d\d", "", text)  # owner and time of ls -l

    bare, under = guest.command(argv, under=False), guest.command(argv)
    assert (under.status, plain(under.stdout), under.stderr) == (bare.status, plain(bare.stdout), bare.stderr)


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("other", ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2",
                                   "libeatmydata.so", "faketime/libfaketime.so.1"])
def test_beside_other_preloads(guest, peer, other, order):
    found = [p for p in ("/usr/lib/x86_64-linux-gnu/" + other, "/usr/lib/aarch64-linux-gnu/" + other)
             if os.path.exists(p)]
    if not found:
        pytest.skip(other + " is not installed")
    both = [found[0], LIBRARY] if order == "before" else [LIBRARY, found[0]]
    r = run(guest, peer, config=FIRES, env={"LD_PRELOAD": ":".join(both)})
    assert (r.status, r.stdout) == (7, "[111, 111, 111]\n"), r.stderr


def test_a_stop_after_is_a_dead_mans_switch(guest, peer):
    r = guest.command([PYTHON, "-c", PRELUDE + """
seen, begun = [], now()
while now() - begun < 1.6:
    s = socket.socket(); seen.append((now() - begun, s.connect_ex(("127.0.0.1", port)))); s.close()
    time.sleep(0.05)
reply(last=max([t for t, e in seen if e] + [0]), passed=len([1 for t, e in seen if not e]))
""", str(peer.plain), "0"], config=FIRES.replace("processes", "stop_after = 1s\nprocesses"))
    figures = r.json()
    assert 0.3 < figures["last"] < 1.2 and figures["passed"] > 3, figures
