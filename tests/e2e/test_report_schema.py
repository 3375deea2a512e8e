# SPDX-License-Identifier: Apache-2.0
"""The document's shape: the schema is sound, the sample keeps to it, and so do real reports."""

import copy
import json
import subprocess

import pytest

from reports import BUILD, SAMPLE, SCHEMA, nasty, render

jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")


def closed(schema):
    """The schema with no room for fields that it does not name: finds misspelt ones."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if "properties" in out and "additionalProperties" not in out:
        out["additionalProperties"] = False
    return out


STRICT = jsonschema.Draft7Validator(closed(SCHEMA))


def errors(document):
    return ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message) for e in
            STRICT.iter_errors(document)]


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_every_field_is_required_or_called_optional():
    """A reader may rely on every field; one that may be missing says so itself."""
    def look(node, where):
        for name, sub in node.get("properties", {}).items():
            optional = "Optional" in sub.get("description", "")
            assert (name in node.get("required", [])) != optional, where + name
        for key, sub in node.items():
            if isinstance(sub, dict):
                look(sub, where + key + ".")
    look(SCHEMA, "")


def test_the_sample_keeps_to_it():
    assert errors(SAMPLE) == []


def test_the_nasty_sample_keeps_to_it():
    assert errors(nasty(SAMPLE)) == []


def test_mistakes_are_found():
    for spoil in (lambda d: d["run"].pop("seed"),
                  lambda d: d["score"].update(points="71"),
                  lambda d: d["score"]["principles"].pop(),
                  lambda d: d["outcomes"].update(survived={"count": 1, "example": None}),
                  lambda d: d["findings"][0].update(severity="Blocker"),
                  lambda d: d["findings"][0].update(hanlder=None),
                  lambda d: d["cases"][0].update(outcome="fine"),
                  lambda d: d.update(schema_version=2)):
        document = copy.deepcopy(SAMPLE)
        spoil(document)
        assert errors(document)


def test_the_json_format_keeps_to_it(tmp_path):
    assert errors(json.loads(render(SAMPLE, "json", tmp_path))) == []
    assert json.loads(render(SAMPLE, "json", tmp_path)) == SAMPLE


LIBRARY, COMMAND = BUILD / "lib/libmishap.so", BUILD / "tools/mishap"

# One operation that is tried again, one that nobody catches.
PROGRAM = """
import sys
for attempt in range(3):
    try:
        open(sys.argv[1] + "/settings").read()
        break
    except OSError as error:
        print("settings:", error, file=sys.stderr)
open(sys.argv[1] + "/orders").read()
"""

SCENARIO = """
[run]
seed = 11
[fault unreadable]
call = file.open
path = %s/data/*
error = EIO
"""


def recorded(tmp_path, scenario=""):
    """A directory of recordings of a small program under this scenario."""
    out, data = tmp_path / "rec", tmp_path / "data"
    out.mkdir()
    data.mkdir()
    (tmp_path / "s.ini").write_text(scenario % tmp_path if scenario else "")
    (tmp_path / "program.py").write_text(PROGRAM)
    env = {"PATH": "/usr/bin:/bin", "LD_PRELOAD": str(LIBRARY), "MISHAP_OUT": str(out)}
    if scenario:
        env["MISHAP_CONFIG"] = str(tmp_path / "s.ini")
    for name in ("settings", "orders"):
        (data / name).write_text(name)
    done = subprocess.run(["/usr/bin/python3", str(tmp_path / "program.py"), str(data)], timeout=60,
                          env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == (1 if scenario else 0), done.stderr.decode()
    return out


def reported(path, *options):
    done = subprocess.run([str(COMMAND), "report", str(path), *options], timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_a_recording_without_faults_keeps_to_it(tmp_path):
    document = json.loads(reported(recorded(tmp_path), "--format", "json"))
    assert errors(document) == []
    assert document["run"]["fired"] == 0 and document["score"]["grade"] == "NG"


def test_a_recording_with_faults_keeps_to_it(tmp_path):
    """The whole way, in every format, and once more from the stored report."""
    rec = recorded(tmp_path, SCENARIO)
    document = json.loads(reported(rec, "--format", "json"))
    assert errors(document) == []
    assert document["run"]["fired"] == 4 and document["run"]["seed"] == 11
    assert [c["fault"] for c in document["cases"]] and \
        {c["fault"] for c in document["cases"]} == {"unreadable"}
    stored = tmp_path / "report.json"
    reported(rec, "-o", str(stored))
    for format_ in ("text", "html", "markdown", "junit"):
        assert reported(stored, "--format", format_) == reported(rec, "--format", format_)
    assert " fired, in " in reported(rec)
