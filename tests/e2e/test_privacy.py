# SPDX-License-Identifier: Apache-2.0
"""No secret leaves the application through us: whatever goes through bodies, headers, queries, keys, values, SQL,
DSNs, exception messages, logs and the environment is in no recording, no event and no report of any format."""

import json
import os
import subprocess

import pytest

import mhr
from guest import BUILD, PROGRAMS, PYTHON, Guest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st  # noqa: E402

MISHAP = os.path.join(BUILD, "tools", "mishap")
SCENARIO = ("[run]\nprocesses = *\nseed = %d\n[fault f]\ncall = recv\nside = client\nprobability = 20%%\n"
            "error = ECONNRESET\n[fault g]\ncall = connect\nprobability = 10%%\nerror = ECONNREFUSED\n")
WINDOW = 8  # bytes of a secret that may not be found anywhere

letters = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-.", min_size=12, max_size=40)
anything = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=12, max_size=30)
shapes = st.one_of(
    letters, anything,
    st.from_regex(r"\A[0-9a-f]{32}\Z"),                          # an id, or a key
    st.from_regex(r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"),
    st.from_regex(r"\Asecret[a-z]{6,10}:[1-9][0-9]{3}\Z"),       # what looks like a peer
    st.from_regex(r"\Asecret[a-z]{6,10}\.[a-z]{6,9}:[1-9][0-9]{3}\Z"),
    st.from_regex(r"\Apostgres://admin:[A-Za-z0-9]{12}@nowhere/x\Z").map(lambda dsn: dsn[17:29]),
    st.from_regex(r"\A[a-z]{5,8}@[a-z]{9,12}\.[a-z]{5}\Z"),
    st.from_regex(r"\A4[0-9]{15}\Z"))


def harmless(secret):
    """Neither a word of ours, nor built like the name of an exception class, which is what is kept of text."""
    words = ("error", "exception", "timeout", "warning", "refused", "interrupt", "exit", "failure", "closed",
             "disconnected", "unavailable", "expired", "notfound", "violation", "trace")
    return not any(word in secret.lower() for word in words) and len(set(secret)) > 8


def windows(secret):
    raw = secret.encode()
    return {raw[i:i + WINDOW] for i in range(len(raw) - WINDOW + 1)}


def outputs(out):
    """(name, bytes) of everything that we have written, or print of it."""
    for name in os.listdir(out):
        with open(os.path.join(out, name), "rb") as f:
            yield name, f.read()
    commands = [("events", out), ("events", "--json", out)]
    listed = subprocess.run([MISHAP, "list", "formats", "--format=json"], stdout=subprocess.PIPE, check=True)
    commands += [("report", out, "--format", row["format"]) for row in json.loads(listed.stdout)]
    commands += [("report", out, "--format", "text", "-v")]
    for command in commands:
        done = subprocess.run([MISHAP, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        assert done.returncode == 0, (command, done.stdout[-500:])
        yield " ".join(command), done.stdout


@hypothesis.settings(max_examples=8, deadline=None, derandomize=True, database=None,
                     phases=[hypothesis.Phase.generate],  # what is found is told, not made small: that takes minutes
                     suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.lists(shapes.filter(harmless), min_size=4, max_size=4, unique=True), st.integers(1, 1000))
def test_no_secret_reaches_a_recording_or_a_report(tmp_path_factory, secrets, seed):
    place = tmp_path_factory.mktemp("s")
    guest = Guest(place)
    r = guest.command([PYTHON, os.path.join(PROGRAMS, "secretive.py")], config=SCENARIO % seed,
                      env={"SECRETS": json.dumps(secrets), "PLACE": str(place),
                           "DATABASE_URL": "postgres://x:%s@db/x" % secrets[0]})
    assert r.status == 0, r.stderr
    seen = {e["event"] for e in r.events()}
    assert seen >= {"unit_end", "request", "response", "log", "op"}
    sinks = {e["sink"] for e in r.events("log")}
    assert sinks >= {mhr.SINK[s] for s in ("stderr", "file", "syslog")}, sinks
    forbidden = set().union(*map(windows, secrets))
    for name, data in outputs(r.out):
        found = sorted(w for w in forbidden if w in data)
        assert not found, (name, found[:3], secrets)


def test_the_search_can_find(tmp_path_factory):
    """The test above is able to fail: what may be kept is found by the same search."""
    place = tmp_path_factory.mktemp("s")
    r = Guest(place).command([PYTHON, os.path.join(PROGRAMS, "secretive.py")],
                             config=SCENARIO % 1, env={"SECRETS": '["SuperSecretError"]', "PLACE": str(place)})
    assert r.status == 0, r.stderr
    assert any(b"SuperSecretError" in data for _, data in outputs(r.out))
