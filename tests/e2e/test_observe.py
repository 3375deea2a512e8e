# SPDX-License-Identifier: Apache-2.0
"""docker/observe: promtool accepts its files, and a real Prometheus that scrapes a real node_exporter has an answer for each
query of the dashboard and the rules. No Grafana: its files are looked at, not run."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from guest import TREE, need
from test_run import MISHAP, free_port

yaml = pytest.importorskip("yaml")
HERE = os.path.join(TREE, "docker", "observe")
SAMPLE = os.path.join(TREE, "tests", "golden", "sample.json")


def read(*path):
    with open(os.path.join(HERE, *path), encoding="utf-8") as f:
        return f.read()


def metrics():
    return subprocess.run([MISHAP, "report", SAMPLE, "--format", "openmetrics"], check=True, stdout=subprocess.PIPE,
                          text=True, timeout=60).stdout


def queries():
    for panel in json.loads(read("grafana", "dashboards", "mishap.json"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for group in yaml.safe_load(read("rules.yml"))["groups"]:
        for rule in group["rules"]:
            # does the condition's left side have a value? What it says of the sample is not asked.
            yield rule["alert"], re.split(" (?:>|==) ", rule["expr"])[0]


@contextlib.contextmanager
def exporter(folder, text):
    """A real node_exporter that reads the file; yields its port."""
    program, port = need("prometheus-node-exporter"), free_port()
    (folder / "mishap.prom").write_text(text)
    with subprocess.Popen([program, "--collector.disable-defaults", "--collector.textfile",
                           "--collector.textfile.directory=%s" % folder, "--web.listen-address=127.0.0.1:%d" % port],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
        try:
            yield port
        finally:
            p.terminate()


@pytest.fixture
def config(tmp_path):
    """The shipped files, with the target where the test serves it."""
    def make(port):
        shutil.copy(os.path.join(HERE, "rules.yml"), tmp_path)
        text = read("prometheus.yml")
        assert "node-exporter:9100" in text
        text = text.replace("node-exporter:9100", "127.0.0.1:%d" % port).replace("15s", "1s")
        (tmp_path / "prometheus.yml").write_text(text)
        return str(tmp_path / "prometheus.yml")
    return make


def test_promtool_accepts(config):
    promtool = need("promtool")
    done = subprocess.run([promtool, "check", "config", config(9)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=60)
    assert done.returncode == 0 and "3 rules found" in done.stdout, done.stdout
    done = subprocess.run([promtool, "check", "metrics"], input=metrics(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_a_real_prometheus_answers_every_query(tmp_path, config):
    program, port = need("prometheus"), free_port()

    def ask(query):
        url = "http://127.0.0.1:%d/api/v1/query?%s" % (port, urllib.parse.urlencode({"query": query}))
        with contextlib.suppress(OSError):
            return json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"]
        return []

    with exporter(tmp_path, metrics()) as target:
        server = subprocess.Popen([program, "--config.file=" + config(target), "--storage.tsdb.path=%s/data" % tmp_path,
                                   "--web.listen-address=127.0.0.1:%d" % port], stderr=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while not ask("mishap_score") and time.monotonic() < end:
                time.sleep(0.3)
            unanswered = [q for q in queries() if not ask(q[1])]
            (grade,) = ask("mishap_grade == 1")
        finally:
            server.terminate()
            server.wait(30)
    assert unanswered == [] and len(list(queries())) >= 14
    with open(SAMPLE, encoding="utf-8") as f:
        assert grade["metric"]["grade"] == json.load(f)["score"]["grade"]


def test_grafana_s_files_fit_each_other():
    dashboard = json.loads(read("grafana", "dashboards", "mishap.json"))
    (source,) = yaml.safe_load(read("grafana", "provisioning", "datasources", "prometheus.yml"))["datasources"]
    (provider,) = yaml.safe_load(read("grafana", "provisioning", "dashboards", "mishap.yml"))["providers"]
    compose = yaml.safe_load(read("observe.yml"))["services"]
    assert {t["datasource"]["uid"] for p in dashboard["panels"] for t in [p, *p["targets"]]} == {source["uid"]}
    assert len({p["id"] for p in dashboard["panels"]}) == len(dashboard["panels"])
    assert "./grafana/dashboards:%s:ro" % provider["options"]["path"] in compose["grafana"]["volumes"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in compose
    boxes = [p["gridPos"] for p in dashboard["panels"]]
    taken = [(x, y) for b in boxes for x in range(b["x"], b["x"] + b["w"]) for y in range(b["y"], b["y"] + b["h"])]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < 24, "panels overlap"
    exported = set(re.findall(r"^(mishap_\w+)", metrics(), re.M))
    assert set(re.findall(r"mishap_\w+", " ".join(q for _, q in queries()))) <= exported
