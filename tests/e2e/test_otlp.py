# SPDX-License-Identifier: Apache-2.0
"""`mishap report --format otlp`: OTLP/JSON as its own protobuf definitions read it."""

import collections
import json
import os
import re
import subprocess

import pytest
from guest import BUILD, PRELUDE, PYTHON
from reports import SAMPLE, nasty, sample
from venvs import python_with

MISHAP = os.path.join(BUILD, "tools", "mishap")
PROTO = ("opentelemetry-proto==1.36.0", "protobuf==6.31.1")

# Reads each line as the request that it is; unknown fields are errors. The ids of OTLP/JSON are hex,
# which is where it parts from protobuf's own JSON.
READER = """
import base64, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
kinds = {"resourceSpans": ExportTraceServiceRequest, "resourceLogs": ExportLogsServiceRequest,
         "resourceMetrics": ExportMetricsServiceRequest}
def ids(value):
    if isinstance(value, list):
        return [ids(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ("traceId", "spanId", "parentSpanId")
            else ids(v) for k, v in value.items()}
for line in sys.stdin:
    request = json.loads(line)
    (kind,) = request
    message = json_format.ParseDict(ids(request), kinds[kind]())
    again = json_format.MessageToDict(message, preserving_proto_field_name=False)
    print(json.dumps([kind, again[kind]]))
"""

SERVER = PRELUDE + """
import urllib.request, urllib.error
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        status = 200
        try:
            with connect() as s:
                s.sendall(b"echo x\\n")
                s.recv(100)
        except OSError:
            status = 500
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for i in range(6):
    try: urllib.request.urlopen("http://127.0.0.1:%d/items/%d" % (server.server_port, i), timeout=10).read()
    except urllib.error.HTTPError: pass
"""


def report(*words):
    done = subprocess.run([MISHAP, "report", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parsed(data):
    done = subprocess.run([python_with(*PROTO), "-c", READER], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    items = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        kind, resources = json.loads(line)
        for resource in resources:
            about = attributes(resource["resource"])
            for scope in next(v for k, v in resource.items() if k.startswith("scope")):
                assert scope["scope"]["name"] == "mishap"
                for item in next(v for k, v in scope.items() if k != "scope"):
                    items[kind].append({**item, "resource": about})
    return items


def attributes(item):
    pairs = [(a["key"], next(iter(a["value"].values()))) for a in item.get("attributes", [])]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.fixture
def run(guest, peer):
    r = guest.command([PYTHON, "-c", SERVER, str(peer.plain), "0"], config="""
        [run]
        processes = *
        [fault broken]
        call = recv
        peer = 127.0.0.1:%d
        skip = 3
        count = 2
        error = ECONNRESET
        """ % peer.plain)
    assert r.status == 0, r.stderr
    return r


def test_spans_are_what_was_recorded(run, peer):
    data = report(run.out, "--format", "otlp")
    spans = parsed(data)["resourceSpans"]
    assert {s["kind"] for s in spans} == {"SPAN_KIND_SERVER", "SPAN_KIND_CLIENT"}
    units = [s for s in spans if s["kind"] == "SPAN_KIND_SERVER"]
    assert len(units) == 6 == len({s["traceId"] for s in units}) and not any("parentSpanId" in s for s in units)
    assert {s["name"] for s in units} == {"GET /items/{n}"}
    broken = [s for s in units if s.get("status", {}).get("code") == "STATUS_CODE_ERROR"]
    assert len(broken) == 2
    for s in broken:
        seen = attributes(s)
        assert seen["http.response.status_code"] == "500" == seen["error.type"] and seen["mishap.fault"] == "broken"
        assert seen["http.route"] == "/items/{n}" and seen["http.request.method"] == "GET"
    assert all(int(s["endTimeUnixNano"]) > int(s["startTimeUnixNano"]) > 1600000000 * 10**9 for s in units)

    asked = [s for s in spans if s.get("parentSpanId")]
    assert len(asked) == 6 and all(s["kind"] == "SPAN_KIND_CLIENT" for s in asked)
    parents = {(s["traceId"], s["spanId"]): s for s in units}
    for s in asked:
        unit = parents[s["traceId"], s["parentSpanId"]]
        seen = attributes(s)
        assert seen["server.address"] == "127.0.0.1" and seen["server.port"] == str(peer.plain)
        assert (seen.get("mishap.fault") == "broken") == (unit in broken)
        if unit not in broken:
            assert "error.type" not in seen and not s.get("events")
            continue
        assert seen["error.type"] == "ECONNRESET" and s["status"]["code"] == "STATUS_CODE_ERROR"
        fault, exception = s["events"][:2]
        assert fault["name"] == "mishap.fault" and attributes(fault)["mishap.operation"] == "recv"
        assert exception["name"] == "exception"
        assert attributes(exception)["exception.type"] == "ConnectionResetError"
    background = [s for s in spans if s["kind"] == "SPAN_KIND_CLIENT" and s not in asked]
    assert collections.Counter(attributes(s)["http.response.status_code"] for s in background) == {"200": 4, "500": 2}

    assert report(run.out, "--format", "otlp") == data, "ids are made of the recording"
    line = data.splitlines()[0].decode()
    assert re.search(r'"traceId":"[0-9a-f]{32}"', line) and re.search(r'"spanId":"[0-9a-f]{16}"', line)
    assert re.search(r'"kind":[1-5][,}]', line) and re.search(r'"startTimeUnixNano":"\d{19}"', line)


def test_findings_and_score_are_those_of_the_document(run, tmp_path):
    report(run.out, "--report", tmp_path / "r.otlp", "--report", tmp_path / "r.json", "-o", tmp_path / "o.otlp")
    assert (tmp_path / "r.otlp").read_bytes() == (tmp_path / "o.otlp").read_bytes()
    items = parsed((tmp_path / "r.otlp").read_bytes())
    document = json.loads((tmp_path / "r.json").read_text())
    check(items, document)
    assert len(items["resourceSpans"]) == 18
    again = parsed(report(tmp_path / "r.json", "--format", "otlp"))
    assert "resourceSpans" not in again
    assert again["resourceLogs"] == items["resourceLogs"] and again["resourceMetrics"] == items["resourceMetrics"]


def check(items, document):
    numbers = {"Critical": "FATAL", "High": "ERROR", "Medium": "WARN", "Low": "INFO"}
    findings = [f for f in document["findings"] if f["state"] != "fixed"]
    logs = items["resourceLogs"]
    assert [attributes(x)["mishap.finding.id"] for x in logs] == [f["id"] for f in findings]
    for log, finding in zip(logs, findings):
        assert log["severityNumber"] == "SEVERITY_NUMBER_" + numbers[finding["severity"]]
        assert log["body"]["stringValue"] == finding["title"] and log["severityText"] == finding["severity"]
        assert attributes(log)["mishap.rule"] == finding["rule"]
    points = {(m["name"], *attributes(p).values()): float(p.get("asDouble", p.get("asInt")))
              for m in items["resourceMetrics"] for p in m["gauge"]["dataPoints"]}
    for name, key in (("mishap.score", "points"), ("mishap.evidence", "evidence")):
        assert points.get((name,)) == document["score"][key]
    for severity in numbers:
        assert points["mishap.findings", severity] == sum(f["severity"] == severity for f in findings)
    for outcome in document["outcomes"]:
        assert points["mishap.cases", outcome] == sum(c["outcome"] == outcome for c in document["cases"])


@pytest.mark.parametrize("document", [SAMPLE, nasty(sample())], ids=["sample", "nasty"])
def test_a_stored_report(tmp_path, document):
    path = tmp_path / "stored.json"
    path.write_text(json.dumps(document))
    data = report(path, "--format", "otlp")
    check(parsed(data), document)
    assert all(32 <= c < 127 or c == 10 for c in data) and data.count(b"\n") == 2


def test_the_format_is_known(tmp_path):
    done = subprocess.run([MISHAP, "list", "formats", "--format=json"], stdout=subprocess.PIPE, check=True)
    rows = {r["format"]: r for r in json.loads(done.stdout)}
    assert rows["otlp"]["suffixes"] == [".otlp"]
    path = tmp_path / "stored.json"
    path.write_text(json.dumps(SAMPLE))
    assert report(path, "-o", "/dev/null", "--format", "otlp") == b"" and not os.path.isfile("/dev/null")
    done = subprocess.run([MISHAP, "report", path, "-o", "/nowhere/r.otlp"], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2 and b"/nowhere" in done.stderr
