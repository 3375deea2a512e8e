# SPDX-License-Identifier: Apache-2.0
"""The command itself: misuse, help, misspelt verbs, and `mishap events` beside an independent reader."""
import json
import os
import re
import subprocess

import pytest

import mhr
from guest import BUILD, TREE

MISHAP = os.path.join(BUILD, "tools", "mishap")
VERBS = re.findall(r"^VERB\((\w+)", open(os.path.join(TREE, "tools", "verbs.def"), encoding="utf-8").read(), re.M)


def mishap(*words, **how):
    return subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=30, check=False, stdin=subprocess.DEVNULL, **how)


MISUSE = [
    ((), "Usage: mishap VERB"),
    (("rnu",), "did you mean 'run'"),
    (("evnets",), "did you mean 'events'"),
    (("frobnicate",), "no verb 'frobnicate'"),
    (("--frob",), "no verb '--frob'"),
    (("run",), "which command?"),
    (("run", "--"), "which command?"),
    (("run", "--frob", "--", "true"), "unrecognized option"),
    (("run", "-c"), "requires an argument"),
    (("run", "--for", "3", "--", "true"), "'3' is not a time"),
    (("run", "--grace", "3", "--", "true"), "--grace: '3' is not a time"),
    (("run", "--for", "0s", "--", "true"), "out of range"),
    (("run", "--for", "-3s", "--", "true"), "'-3s' is not a time"),
    (("run", "--for", "300h", "--", "true"), "out of range"),
    (("run", "--seed", "x", "--", "true"), "'x' is not a number"),
    (("run", "--seed", "99999999999999999999", "--", "true"), "out of range"),
    (("run", "--ready", "nowhere", "--", "true"), "is not HOST:PORT"),
    (("run", "--ready", "::1:80", "--", "true"), "is not HOST:PORT"),
    (("run", "--ready", "127.0.0.1:http", "--", "true"), "is not HOST:PORT"),
    (("run", "--ready", "no.such.host.invalid:80", "--", "true"), "has no address"),
    (("run", "-c", "/no/such.ini", "--", "true"), "Cannot use the scenario '/no/such.ini'"),
    (("run", "-c", "", "--", "true"), "Cannot use the scenario"),
    (("run", "-c", "/", "--", "true"), "/"),
    (("run", "--report", "x.frob", "--", "true"), "names no format"),
    (("run", "--report", "/no/such/folder/x.html", "--", "true"), "/no/such/folder/x.html"),
    (("run", "--fail-on", "loud", "--", "true"), "'loud' is not a severity"),
    (("run", "--baseline", "/no/such", "--", "true"), "/no/such"),
    (("run", "-o", "/proc/no", "--", "true"), "/proc/no"),
    (("run", "-o", "", "--", "true"), "Cannot use the directory"),
    (("run", "--", "no-such-command-of-mishap"), "there is no command 'no-such-command-of-mishap'"),
    (("run", "--", "/etc/passwd"), "there is no command"),
    (("attach",), "which process?"),
    (("attach", "me"), "'me' is not a process id"),
    (("attach", "-1"), "invalid option"),
    (("attach", "0"), "'0' is not a process id"),
    (("attach", "99999999"), "there is no process 99999999"),
    (("attach", "1", "--for", "3"), "'3' is not a time"),
    (("attach", "1", "--seed", "x"), "'x' is not a number"),
    (("attach", "1", "-c", "/no/such.ini"), "Cannot use the scenario '/no/such.ini'"),
    (("attach", "1", "--report", "x.html"), "needs an end: --for"),
    (("detach",), "which process?"),
    (("detach", "me"), "'me' is not a process id"),
    (("detach", "99999999"), "there is no process 99999999"),
    (("report",), "which recordings?"),
    (("report", "/no/such"), "Cannot read '/no/such'"),
    (("report", "--format", "frob", "."), "there is no format 'frob'"),
    (("report", "--fail-on", "loud", "."), "'loud' is not a severity"),
    (("check",), ""),
    (("check", "/no/such.ini"), "/no/such.ini"),
    (("doctor", "-c", "/no/such.ini"), "Cannot use the scenario '/no/such.ini'"),
    (("doctor", "--frob"), "unrecognized option"),
    (("list", "frobs"), "frobs"),
    (("explain",), ""),
    (("explain", "MH-9999"), "MH-9999"),
    (("set",), "which run?"),
    (("set", "/no/such", "off"), "there is no directory '/no/such'"),
    (("events",), "which recordings?"),
    (("events", "/no/such"), "there is no '/no/such'"),
]


@pytest.mark.parametrize("words, said", MISUSE, ids=[" ".join(w) or "nothing" for w, _ in MISUSE])
def test_misuse_is_told_and_starts_nothing(tmp_path, words, said):
    done = mishap(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr and done.stderr.strip()
    assert done.stdout == ""
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("words", [("--help",), ("help",), *((v, "--help") for v in VERBS)], ids=" ".join)
def test_help_goes_to_stdout(words):
    done = mishap(*words)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("Usage: mishap")


@pytest.mark.parametrize("words", [("--version",), ("-V",), *((v, "--version") for v in VERBS)], ids=" ".join)
def test_version(words):
    done = mishap(*words)
    assert done.returncode == 0
    assert re.fullmatch(r"mishap \d+\.\d+\.\d+\n", done.stdout)


def test_full_stdout_is_trouble():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([MISHAP, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3 and "Cannot write" in done.stderr


def test_empty_directory_holds_no_recording(tmp_path):
    for verb in "report", "events":
        done = mishap(verb, tmp_path)
        assert done.returncode == 3
        assert done.stderr == f"mishap: there is no recording (*.mhr) in '{tmp_path}'\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A directory with the recordings of one small run."""
    out = tmp_path_factory.mktemp("recorded") / "out"
    done = mishap("run", "-q", "-o", out, "--", "/usr/bin/python3", "-c",
                  "import socket\ntry: socket.create_connection(('127.0.0.1', 1))\nexcept OSError: pass")
    assert done.returncode == 0, done.stderr
    return out


def test_events_as_json_are_what_another_reader_reads(recorded):
    lines = [json.loads(line) for line in mishap("events", "--json", recorded).stdout.splitlines()]
    other = mhr.read_dir(str(recorded))
    assert len(lines) == len(other) > 1

    def key(event):
        fields = {k: v for k, v in event.items() if k in mhr.FIELDS[event["event"]]}
        return event["event"], event["at"], event["tid"], sorted(fields.items())

    assert sorted(map(key, lines)) == sorted(map(key, other))
    assert sorted(e.get("text", "") for e in lines) == sorted(e["tail"] for e in other)


def test_events_as_text(recorded):
    lines = mishap("events", recorded).stdout.splitlines()
    assert len(lines) == len(mhr.read_dir(str(recorded)))
    times = [float(line.split()[0]) for line in lines]
    assert times[0] == 0 and times == sorted(times)
    refused = [line for line in lines if " connect " in line]
    assert refused and "err=ECONNREFUSED" in refused[0] and "peer=127.0.0.1:1" in refused[0]


def test_events_grep(recorded):
    everything = mishap("events", recorded).stdout.splitlines()
    found = mishap("events", "--grep", "econnREFUSED", recorded).stdout.splitlines()
    assert found == [line for line in everything if "ECONNREFUSED" in line] and found


def test_events_of_a_cut_file(recorded, tmp_path):
    whole = max(recorded.glob("*.mhr"), key=lambda p: len(mhr.read(str(p))))
    cut = tmp_path / "cut.mhr"
    cut.write_bytes(whole.read_bytes()[:700])
    done = mishap("events", cut)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(mhr.read(str(cut))) < len(mhr.read(str(whole)))


@pytest.mark.parametrize("content", [b"", b"noise" * 100, b"MISHAP\r\n", b"MISHAP\r\n" + b"\xff" * 600])
def test_events_of_what_is_no_recording(tmp_path, content):
    (tmp_path / "x.mhr").write_bytes(content)
    done = mishap("events", tmp_path)
    assert done.returncode == 3 and "x.mhr" in done.stderr and done.stdout == ""


def complete(*words):
    """What bash offers for the last of the words."""
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
compopt() { :; }
_mishap "$1" "${@: -1}" "${@: -2:1}" && printf '%s\\n' "${COMPREPLY[@]}" """
    done = subprocess.run(["bash", "-c", script, "bash", os.path.join(TREE, "tools", "completion", "mishap"), MISHAP,
                           *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_completion():
    assert complete("") == {*VERBS, "--help", "--version"}
    assert complete("re") == {"report", "replay"}
    assert {"--report", "--ready", "--ready-within"} == complete("run", "--re")
    assert complete("run", "--fail-on", "h") == {"high"}
    assert "true" in complete("run", "--", "tru")
    assert "json" in complete("report", "--format", "j")
