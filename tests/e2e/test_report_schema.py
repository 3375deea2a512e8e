# SPDX-License-Identifier: Apache-2.0
"""The document's shape: the schema is sound, the sample keeps to it, and so do real reports."""

import copy
import json
import subprocess

import pytest

from reports import BUILD, SAMPLE, SCHEMA, nasty

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
    from reports import render
    assert errors(json.loads(render(SAMPLE, "json", tmp_path))) == []
    assert json.loads(render(SAMPLE, "json", tmp_path)) == SAMPLE


def test_a_recording_without_faults_keeps_to_it(tmp_path):
    """The whole way: a program is recorded, graded and reported."""
    library, command = BUILD / "lib/libmishap.so", BUILD / "tools/mishap"
    if not library.exists() or "report" not in subprocess.run(
            [str(command), "--help"], stdout=subprocess.PIPE, timeout=20).stdout.decode():
        pytest.skip("this build has no libmishap.so or no `mishap report`")
    out = tmp_path / "rec"
    out.mkdir()
    subprocess.run(["/usr/bin/python3", "-c", "open('/etc/hostname').read()"], timeout=60, check=True,
                   env={"PATH": "/usr/bin:/bin", "LD_PRELOAD": str(library), "MISHAP_OUT": str(out)})
    done = subprocess.run([str(command), "report", str(out), "--format", "json"], timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()
    document = json.loads(done.stdout)
    assert errors(document) == []
    assert document["run"]["fired"] == 0 and document["score"]["grade"] == "NG"
