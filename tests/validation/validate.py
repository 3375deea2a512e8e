#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs applications with known weaknesses, and their repaired twins, under `mishap run`, and compares
what the grader says with labels.toml. Prints precision, recall and abstention per rule."""
import argparse
import concurrent.futures
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import peers

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
LOAD = os.path.join(TREE, "docker", "shop", "load.py")
PYTHON = os.environ.get("VALIDATE_PYTHON", "/usr/bin/python3")
PARALLEL = 3
LISTS = {"passed": "pass", "not_exercised": "not exercised", "not_applicable": "not applicable",
         "unclear": "unclear"}
RANK = ["fail", "unclear", "pass", "not exercised", "not applicable", "absent"]


def mishap():
    build = os.environ.get("MISHAP_BUILD", os.path.join(TREE, "build"))
    return os.path.join(build, "tools", "mishap")


@dataclass
class Run:
    """One application under one scenario, and what must be found in it."""
    name: str
    case: dict
    cells: dict
    report: dict = None
    trouble: str = ""
    load: dict = field(default_factory=dict)
    seconds: float = 0.0


def labels():
    with open(os.path.join(HERE, "labels.toml"), "rb") as source:
        table = tomllib.load(source)
    runs = []
    for case in table["case"]:
        if case.get("only"):
            runs.append(Run(case["name"], case, case["cells"]))
        else:
            runs += [Run(f"{case['name']}_{twin}", case, case[twin]) for twin in ("bad", "good")]
    return table["judged"], runs


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_redis(folder):
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.05)
    process.kill()
    raise RuntimeError("redis-server did not start")


def scenario(run, values, folder):
    """The scenario with its placeholders filled in; returns its path and its whole length in s."""
    with open(os.path.join(HERE, "scenarios", run.case["scenario"] + ".ini"), encoding="utf-8") as f:
        text = f.read()
    for key in ("PEER_PORT", "REDIS_PORT", "DATA"):
        text = text.replace(f"@{key}@", values[key])
    path = os.path.join(folder, run.case["scenario"] + ".ini")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    section, length = "", 0.0
    for line in text.splitlines():
        section = line if line.startswith("[") else section
        if section.startswith("[phase") and line.startswith("for ="):
            time_text = line.split("=")[1].strip()
            length += (float(time_text[:-2]) / 1000 if time_text.endswith("ms")
                       else float(time_text[:-1]))
    return path, length


def command(run, port):
    if run.case["start"] == "uvicorn":
        return [PYTHON, "-m", "uvicorn", "--port", port, "--no-access-log", f"{run.name}:app"]
    if run.case["start"] == "gunicorn":
        return [PYTHON, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", "4", f"{run.name}:app"]
    return [PYTHON, os.path.join(HERE, "apps", run.name + ".py")]


def load_command(run, port, length):
    words = [PYTHON, LOAD, "--url", f"http://127.0.0.1:{port}", "--for", f"{length:.1f}s", "--json",
             "--rate", str(run.case.get("rate", 8)), "--timeout", run.case.get("timeout", "8s")]
    for route in run.case["routes"]:
        words += ["--route", route]
    return words


def shell(words):
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def execute(run, keep=None):
    """Fills in run.report or run.trouble."""
    began = time.monotonic()
    folder = tempfile.mkdtemp(prefix=f"validate-{run.name}-", dir=keep)
    server, peer_port = peers.start()
    redis = None
    try:
        redis, redis_port = start_redis(folder)
        observe(run, folder, {"PEER_PORT": str(peer_port), "REDIS_PORT": str(redis_port),
                              "DATA": os.path.join(folder, "data"), "PORT": str(free_port())})
    except (OSError, RuntimeError, ValueError) as exc:
        run.trouble = repr(exc)
    finally:
        server.shutdown()
        server.server_close()
        if redis:
            redis.kill()
            redis.wait()
        run.seconds = time.monotonic() - began
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return run


def observe(run, folder, values):
    os.mkdir(values["DATA"])
    path, length = scenario(run, values, folder)
    report, port = os.path.join(folder, "report.json"), values["PORT"]
    words = [mishap(), "run", "-c", path, "-o", os.path.join(folder, "out"), "--quiet",
             "--report", report]
    if run.case["start"] == "worker":
        words += ["--for", f"{length:.1f}s"]
    else:
        words += ["--ready", f"127.0.0.1:{port}", "--with", shell(load_command(run, port, length))]
    environment = {**os.environ, **values, "PEER": f"http://127.0.0.1:{values['PEER_PORT']}",
                   "REDIS_URL": f"redis://127.0.0.1:{values['REDIS_PORT']}/0",
                   "PYTHONPATH": os.path.join(HERE, "apps"), "PYTHONDONTWRITEBYTECODE": "1"}
    with open(os.path.join(folder, "output.txt"), "wb") as output:
        process = subprocess.Popen(words + ["--"] + command(run, port), env=environment, cwd=folder,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(timeout=length + 45)
        except subprocess.TimeoutExpired:
            stop(process)
            run.trouble = "mishap run did not end"
            return
    with open(os.path.join(folder, "output.txt"), encoding="utf-8", errors="replace") as output:
        said = output.read()
    for line in said.splitlines():
        if line.startswith('{"sent"'):
            run.load = json.loads(line)
    if not os.path.exists(report):
        run.trouble = f"no report (exit {status}): {said.strip()[-600:]}"
        return
    with open(report, encoding="utf-8") as source:
        run.report = json.load(source)


def stop(process):
    """As a user would: Ctrl-C, which lets mishap stop the application; then by force."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=25)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def verdict(report, rule):
    """(verdict, [(severity, type), ...]) of one rule over all its sites: the worst one counts."""
    findings = [f for f in report["findings"] if f["rule"] == rule]
    if findings:
        return "fail", [(f["severity"], f["type"]) for f in findings]
    said = {word for key, word in LISTS.items() for v in report[key] if v["rule"] == rule}
    return min(said or {"absent"}, key=RANK.index), []


def compare(run, judged):
    """Yields (rule, expected, got, right, remark) for every cell of the run that counts."""
    for rule in judged:
        expected = run.cells.get(rule, "quiet")
        if expected == "any":
            continue
        got, found = verdict(run.report, rule)
        if expected.startswith("fail"):
            _, severity, kind = expected.split()
            remark = "" if (severity, kind) in found or got != "fail" else f"is {found}"
            yield rule, "fail", got, got == "fail", remark
        elif expected == "quiet":
            yield rule, "quiet", got, got != "fail", ""
        else:
            yield rule, expected, got, got == expected, ""
    if "grade" in run.case:
        grade = run.report["score"]["grade"]
        yield "grade", run.case["grade"], grade, grade == run.case["grade"], ""


def mistakes(run, judged):
    """One line per cell that is not as labelled; severity and type count, too."""
    if run.trouble:
        return [f"{run.name}: {run.trouble}"]
    return [f"{run.name} {rule}: expected {run.cells.get(rule, expected)}, got {got}"
            + (f" ({remark})" if remark else "")
            for rule, expected, got, right, remark in compare(run, judged) if not right or remark]


def ratio(part, whole):
    return f"{part / whole:6.2f}" if whole else "     -"


def summary(runs, judged):
    """The table: per rule the confusion and what follows from it."""
    count = defaultdict(Counter)
    for run in runs:
        if run.report:
            for rule, expected, got, right, remark in compare(run, judged):
                cell = count[rule]
                if expected == "fail":
                    cell["hit" if right else "missed"] += 1
                    cell["rated"] += bool(right and not remark)
                else:
                    cell["false"] += got == "fail"
                if expected in ("fail", "pass"):
                    cell["firm"] += 1
                    cell["silent"] += got in ("unclear", "not exercised", "not applicable", "absent")
                    cell["passed"] += expected == got == "pass"
                    cell["sound"] += expected == "pass"
    lines = ["rule      hit missed false  precision recall  passed  abstain  severity+type"]
    total = Counter()
    for rule in [*judged, "all"]:
        cell = count[rule] if rule != "all" else total
        if rule != "all":
            total.update(cell)
        lines.append(
            f"{rule:9} {cell['hit']:3} {cell['missed']:6} {cell['false']:5}  "
            f"{ratio(cell['hit'], cell['hit'] + cell['false']):>9} "
            f"{ratio(cell['hit'], cell['hit'] + cell['missed'])}  "
            f"{cell['passed']:2} of {cell['sound']:<2} {ratio(cell['silent'], cell['firm'])}  "
            f"{ratio(cell['rated'], cell['hit'])}")
    return "\n".join(lines)


def execute_all(runs, keep=None, parallel=PARALLEL, done=lambda run: None):
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        for future in concurrent.futures.as_completed(pool.submit(execute, r, keep) for r in runs):
            done(future.result())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of applications; default: all")
    parser.add_argument("-j", type=int, default=PARALLEL, help="how many at a time")
    parser.add_argument("--keep", metavar="DIR", help="leave recordings and reports there")
    args = parser.parse_args()
    judged, runs = labels()
    runs = [r for r in runs if not args.names or any(n in r.name for n in args.names)]
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)

    def done(run):
        wrong = mistakes(run, judged)
        print(f"{'ok ' if not wrong else 'BAD'} {run.name:26} {run.seconds:5.1f} s "
              f"{run.load.get('status', '')}", *wrong, sep="\n      ", flush=True)

    began = time.monotonic()
    execute_all(runs, args.keep, args.j, done)
    print(summary(runs, judged))
    print(f"{len(runs)} applications in {time.monotonic() - began:.0f} s")
    return int(any(mistakes(run, judged) for run in runs))


if __name__ == "__main__":
    sys.exit(main())
