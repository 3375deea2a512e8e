# SPDX-License-Identifier: Apache-2.0
"""docker/kubernetes: what kubectl makes of it is held against the schemas of Kubernetes, and its pods are
run as a kubelet would: init containers, volumes, variables, the Job's exit code. Only the nodes are
not real: a pod is a mount and a network namespace in which Debian is every image."""

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
from guest import BUILD, TREE, need
from venvs import python_with

yaml = pytest.importorskip("yaml")
HERE = os.path.join(TREE, "docker", "kubernetes")
VALIDATOR = "kubernetes-validate==1.37.0"
VERSIONS = ("1.25", "1.31", "1.37")
PHASES = {"10s": "4s", "8s": "3s", "5s": "1s"}

# Debian as it is, with the image's own files on top; what is written there is gone with the namespace.
IMAGE = """
set -eu
ip link set lo up
mount --make-rprivate /
mount -t tmpfs none {top}
mkdir {top}/up {top}/work {top}/root
mount -t overlay -o lowerdir=/,upperdir={top}/up,workdir={top}/work none {top}/root
cd {top}/root
mkdir -p usr/lib/mishap usr/share/mishap shop
cp {build}/lib/libmishap.so usr/lib/mishap/
cp {build}/tools/mishap usr/bin/mishap
cp -r {tree}/config/*.ini {tree}/config/advice {tree}/config/lang usr/share/mishap/
cp {tree}/docker/entry usr/bin/mishap-entry
cp {tree}/docker/shop/*.py shop/
echo '127.0.0.1 localhost redis shop' > etc/hosts
for below in proc dev tmp; do mount --rbind /$below $below; done
"""
POD = """
chroot . timeout 100 redis-server --port 6379 --save '' --daemonize no > /dev/null &
redis=$!
{init}
{app} > {log} 2>&1 &
app=$!
chroot . /usr/bin/python3 /shop/load.py --url http://shop:8000 --rate 20 --for 12s \
    --route 'GET /products/sku-{{1..9}} 1' --route 'GET /cart/u{{1..9}} 1' > /dev/null || true
kill -TERM $app
wait $app || true
kill $redis
"""


@pytest.fixture(scope="module")
def rendered():
    need("kubectl")
    done = subprocess.run(["kubectl", "kustomize", os.path.join(HERE, "shop")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def found(text, kind, name):
    return next(d for d in yaml.safe_load_all(text)
                if d["kind"] == kind and d["metadata"]["name"].startswith(name))


def files():
    return sorted(os.path.join(place, name) for place, _, names in os.walk(HERE) for name in names
                  if name.endswith(".yaml") and not name.startswith("kustomization"))


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas(rendered, version, tmp_path):
    python = python_with(VALIDATOR)
    whole = tmp_path / "whole.yaml"
    whole.write_text(rendered, encoding="utf-8")
    own = [f for f in files() if "apiVersion: chaos" not in open(f, encoding="utf-8").read()
           and "litmus" not in f and "preload" not in f]
    done = subprocess.run([os.path.join(os.path.dirname(python), "kubernetes-validate"), "--strict", "-k", version,
                           str(whole), *own], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0 and done.stdout.count("passed for resource") >= 8, done.stdout


def test_only_what_is_labelled_is_changed(rendered):
    shop, redis = (found(rendered, "Deployment", name)["spec"]["template"]["spec"] for name in ("shop", "redis"))
    assert [c["name"] for c in shop["initContainers"]] == ["mishap"]
    assert "initContainers" not in redis and "volumes" not in redis
    names = [e["name"] for e in shop["containers"][0]["env"]]
    assert names.index("POD_NAME") < names.index("MISHAP_OUT"), "a variable refers to those before it only"


def command(spec, container, pod, volumes):
    """The shell's words for one container of a pod, run in the image's root."""
    known, env = {}, []
    for row in container.get("env", []):
        value = row.get("value")
        if value is None:
            assert row["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
            value = pod
        known[row["name"]] = re.sub(r"\$\((\w+)\)", lambda m: known.get(m[1], m[0]), value)
        env.append("%s=%s" % (row["name"], known[row["name"]]))
    assert set(m["name"] for m in container["volumeMounts"]) <= set(v["name"] for v in spec["volumes"])
    lines = []
    for mount in container["volumeMounts"]:
        at = "." + mount["mountPath"]
        lines.append("mkdir -p %s; mountpoint -q %s || mount --bind %s %s"
                     % (at, at, shlex.quote(volumes[mount["name"]]), at))
    words = container.get("command", ["/usr/bin/mishap-entry"]) + [
        re.sub(r"\$\((\w+)\)", lambda m: known.get(m[1], m[0]), a) for a in container.get("args", [])]
    inside = "cd /shop; exec env -i PATH=/usr/bin:/bin %s" % shlex.join(env + words)
    return "\n".join(lines), "chroot . sh -c %s" % shlex.quote(inside)


def start(script, tmp_path, name):
    top = tmp_path / name
    top.mkdir()
    whole = IMAGE.format(top=top, build=shlex.quote(BUILD), tree=shlex.quote(TREE)) + script
    return subprocess.Popen(["unshare", "--mount", "--net", "--kill-child", "bash", "-c", whole], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_pods_and_the_job(rendered, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("namespaces need root")
    for program in ("unshare", "ip", "redis-server", "chroot"):
        need(program)
    spec = found(rendered, "Deployment", "shop")["spec"]["template"]["spec"]
    scenario = found(rendered, "ConfigMap", "mishap-scenario")["data"]["scenario.ini"]
    for long, short in PHASES.items():
        assert "for = " + long in scenario
        scenario = scenario.replace("for = " + long, "for = " + short)
    records, ini = tmp_path / "records", tmp_path / "scenario"
    records.mkdir()
    ini.mkdir()
    (ini / "scenario.ini").write_text(scenario, encoding="utf-8")
    pods = []
    for pod in ("shop-5d9c-aaaaa", "shop-5d9c-bbbbb"):
        shared = tmp_path / (pod + ".empty")
        shared.mkdir()
        volumes = {"mishap": str(shared), "mishap-records": str(records), "mishap-scenario": str(ini)}
        prepare, init = command(spec, spec["initContainers"][0], pod, volumes)
        more, app = command(spec, spec["containers"][0], pod, volumes)
        log = tmp_path / (pod + ".log")
        pods.append(start(POD.format(init=prepare + "\n" + init + "\n" + more, app=app, log=log), tmp_path, pod))
    for pod in pods:
        out, err = pod.communicate(timeout=120)
        if "mount:" in err and not any(records.iterdir()):
            pytest.skip("no overlay can be mounted here: " + err.strip().splitlines()[-1])
        assert pod.returncode == 0, err + out
    assert sorted(p.name for p in (records / "rec").iterdir()) == ["shop-5d9c-aaaaa", "shop-5d9c-bbbbb"]

    spec = found(rendered, "Job", "mishap-grade")["spec"]["template"]["spec"]
    prepare, gate = command(spec, spec["containers"][0], "mishap-grade-xyz", {"mishap-records": str(records)})
    job = start(prepare + "\n" + gate, tmp_path, "job")
    out, err = job.communicate(timeout=120)
    report = json.loads((records / "report" / "report.json").read_text(encoding="utf-8"))
    assert job.returncode == 10, "a cart without a timeout stops the gate\n" + err + out
    assert len([p for p in report["processes"] if "uvicorn" in p["command"]]) == 2, report["processes"]
    assert report["cases"] and {f["rule"] for f in report["findings"]} & {"MH-0601", "MH-0101", "MH-0401"}
    shutil.rmtree(records)
