# SPDX-License-Identifier: Apache-2.0
"""docker/experiments: the real Chaos Toolkit drives a running application with `mishap set`, and what
mishap thinks of the outcome decides. The files for tools that cannot run here are read for their shape."""

import json
import os
import subprocess
import threading
import time
import urllib.request

import pytest
from guest import BUILD, PYTHON, TREE, need
from servers import free_port, redis
from venvs import python_with

HERE = os.path.join(TREE, "docker", "experiments")
TOOLKIT = "chaostoolkit==1.19.0"
APP = """
import fastapi, redis
app = fastapi.FastAPI()
store = redis.Redis(port=int({port}), {limit})
@app.get("/health")
async def health(): return "well"
@app.get("/items")
def items():
    try: return store.get("items") or "none"
    except (redis.TimeoutError, redis.ConnectionError) as e:
        import logging; logging.getLogger("uvicorn.error").warning("%s", e)
        raise fastapi.HTTPException(503, headers={{"Retry-After": "1"}})
"""
SCENARIO = "[fault slow-redis]\ncall = recv\nside = client\npeer = :%d\nhang = yes\n"


def drive(url, stop):
    """Forty requests a second until told, at most for a minute; those that do not come back are left."""
    def one():
        try:
            urllib.request.urlopen(url, timeout=3).read()
        except OSError:
            pass
    end = time.monotonic() + 60
    while not stop.is_set() and time.monotonic() < end:
        threading.Thread(target=one, daemon=True).start()
        time.sleep(0.05)


@pytest.mark.parametrize("limit,deviates", [("socket_timeout=0.3", False), ("", True)])
def test_chaos_toolkit(guest, tmp_path, limit, deviates):
    need("redis-server")
    chaos = os.path.join(os.path.dirname(python_with(TOOLKIT)), "chaos")
    with redis() as store:
        port = free_port()
        (tmp_path / "app.py").write_text(APP.format(port=store, limit=limit), encoding="utf-8")
        app, out = guest.start([PYTHON, "-m", "uvicorn", "app:app", "--port", str(port), "--no-access-log"],
                               SCENARIO % store, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stop = threading.Event()
        try:
            for _ in range(200):
                try:
                    urllib.request.urlopen("http://127.0.0.1:%d/health" % port, timeout=1)
                    break
                except OSError:
                    time.sleep(0.1)
            tools = os.path.join(BUILD, "tools")
            subprocess.run([os.path.join(tools, "mishap"), "set", out, "off", "slow-redis"], check=True, stdout=subprocess.DEVNULL)
            load = threading.Thread(target=drive, args=("http://127.0.0.1:%d/items" % port, stop), daemon=True)
            load.start()
            time.sleep(2)
            done = subprocess.run(
                [chaos, "--no-version-check", "--no-log-file", "run", "--hypothesis-strategy", "after-method-only",
                 "--journal-path", str(tmp_path / "journal.json"), os.path.join(HERE, "chaostoolkit.json")],
                cwd=tmp_path, timeout=120, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": tools + os.pathsep + os.environ["PATH"], "MISHAP_OUT": out,
                     "APP_URL": "http://127.0.0.1:%d" % port, "PAUSE": "4"})
        finally:
            stop.set()
            app.terminate()
            try:
                app.wait(5)
            except subprocess.TimeoutExpired:
                app.kill()
                app.wait()
    journal = json.loads((tmp_path / "journal.json").read_text(encoding="utf-8"))
    report = json.load(open(os.path.join(out, "report.json"), encoding="utf-8"))
    assert report["cases"], "the fault fired"
    assert (journal["deviated"], done.returncode) == (deviates, int(deviates)), done.stdout + json.dumps(report["findings"])
    assert [run["status"] for run in journal["run"]] == ["succeeded", "succeeded"]
    assert [run["status"] for run in journal["rollbacks"]] == ["succeeded"]


@pytest.mark.parametrize("name,kind", [("litmus-probe.yaml", "ChaosEngine"), ("chaos-mesh-schedule.yaml", "Schedule")])
def test_shapes(name, kind):
    yaml = pytest.importorskip("yaml")
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        document = yaml.safe_load(f)
    assert document["kind"] == kind and document["metadata"]["namespace"] == "chaos"
    if kind == "ChaosEngine":
        probe = document["spec"]["experiments"][0]["spec"]["probe"][0]
        words = probe["cmdProbe/inputs"]["command"].split(";")[0].replace("> /dev/null", "").split()
        done = subprocess.run([os.path.join(BUILD, "tools", "mishap"), *words[1:2], "/nowhere", *words[3:]],
                              check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and "/nowhere" in done.stderr, "the command is one that mishap understands"
