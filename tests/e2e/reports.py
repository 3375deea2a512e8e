# SPDX-License-Identifier: Apache-2.0
"""Renders documents through the build's `render`, and makes nasty ones."""

import copy
import json
import os
import pathlib
import re
import subprocess

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MISHAP_BUILD", TREE / "build"))
GOLDEN = TREE / "tests" / "golden"
SAMPLE = json.loads((GOLDEN / "sample.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((TREE / "tools/report/report.schema.json").read_text(encoding="utf-8"))
FORMATS = re.findall(r"^FORMAT\((\w+)", (TREE / "tools/report/formats.def").read_text(encoding="utf-8"), re.M)

# What a name in somebody's program, answer or log may hold: markup, script, escape codes, marks of
# direction, C1 controls as UTF-8, quotes of every kind, fences, table bars, a mention.
NASTY = ("</script><script>document.title='owned'</script><img src=x onerror=alert(1)><!-- "
         "\x1b[31m\x1b]0;owned\x07\x9b2J\x7f\u202eevil\u2066 \"'`${x}`' ]]> &lt; &#60; "
         "``` |pipe| @everyone [a](javascript:alert(1)) http://evil.example/ \r\n# head\ttab\ufffe")


def render(document, format_, tmp_path, width=80, flags="", env=None, to_file=True):
    """The report as bytes, of a document (or the path of one)."""
    if not isinstance(document, (str, os.PathLike)):
        path = tmp_path / "document.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        document = path
    out = str(tmp_path / ("report." + format_)) if to_file else "-"
    done = subprocess.run([str(BUILD / "tests/golden/render"), format_, str(document), out,
                           str(width), flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, env={**os.environ, **(env or {})})
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return pathlib.Path(out).read_bytes() if to_file else done.stdout


# Where the schema allows only certain texts, a nasty one is no document at all.
FIXED = {"grade", "severity", "type", "confidence", "state", "rule", "id", "outcome", "shape", "tier",
         "started"}


def nasty(value, key=None):
    """The same document with every free text made nasty."""
    if isinstance(value, dict):
        return {k: nasty(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [nasty(v, key) for v in value]
    if isinstance(value, str) and key not in FIXED:
        return value + NASTY
    return value


def worst(value, key=None):
    """Not even the schema is kept: every text is nasty, also where only a few words are allowed."""
    if isinstance(value, dict):
        return {k: worst(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [worst(v, key) for v in value]
    return value + NASTY if isinstance(value, str) else value


def sample():
    return copy.deepcopy(SAMPLE)
