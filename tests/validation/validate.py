#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs applications with known weaknesses, and their repaired twins, under `mishap run`, and compares
what the grader says with labels.toml. Prints precision, recall and abstention per rule.

A cell that is not as labelled counts when it is so in two of three runs: the application is run again,
alone, at most twice, and the summary says how often that was."""
import argparse
import concurrent.futures
import contextlib
import copy
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import kept
import peers
import pypi
import services
import tiers

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
LOAD = os.path.join(TREE, "docker", "shop", "load.py")
PYTHON = os.environ.get("VALIDATE_PYTHON", "/usr/bin/python3")
PARALLEL = int(os.environ.get("VALIDATE_JOBS", "3"))
RUNS = 3  # of an application whose first run differs from its labels; two of them must agree
SEED = 7  # of the scenarios; --seeds goes on from there
# Applications that the grader had not seen when they were written: a folder, and a table of that name with .toml
HELD_OUT = ["heldout", "heldout2", "heldout3", "heldout4", "heldout5", "heldout6"]
TARGETS = {"precision": 0.95, "recall": 0.90, "abstention": 0.15, "agreement": 0.98}
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
    seed: int = SEED
    unnamed: str = "quiet"  # what is right where no cell is labelled
    grade: str = None  # that the whole report must have
    tier: str = None  # evidence that is taken away: of tiers.TIERS
    mutation: tuple = None  # (application, text, text in its place): a mitigation taken out
    report: dict = None
    first: dict = None  # its report before it was run again
    trouble: str = ""
    load: dict = field(default_factory=dict)
    seconds: float = 0.0
    repeated: list = field(default_factory=list)  # what differed in each run but the one that counts

    @property
    def title(self):
        return (self.name + (f"@{self.seed}" if self.seed != SEED else "")
                + (f" without {self.tier}" if self.tier else ""))


def table_of(name):
    with open(os.path.join(HERE, name), "rb") as source:
        return tomllib.load(source)


def held_out(name, every):
    """The cases of one set, those of each day only or every one; none where there is no such set yet."""
    if not os.path.exists(os.path.join(HERE, name + ".toml")):
        return []
    table = table_of(name + ".toml")
    return [{"apps": name, **({"ini": table["faults"][case["faults"]]} if "faults" in case else {}), **case}
            for case in table["case"] if every or case.get("daily", table.get("daily", False))]


def labels(every=False):
    """(rules, runs); every: with those that only the long suites have."""
    table = table_of("labels.toml")
    held = [case for name in HELD_OUT for case in held_out(name, every)]
    runs = []
    for case in [c for c in table["case"] if every or c.get("daily", True)] + held:
        for cells in ("bad", "good", "cells"):
            if cells in case:
                left = table["candidates"] + case.get("open", [])
                case[cells] = {**dict.fromkeys(left, "any"), **case[cells]}
        if case.get("only"):
            runs.append(Run(case["name"], case, case["cells"], grade=case.get("grade")))
        else:
            runs += [Run(f"{case['name']}_{twin}", case, case[twin], grade=case.get(f"grade_{twin}"))
                     for twin in ("bad", "good")]
    cases = {run.name: run.case for run in runs}
    for m in table["mutation"]:
        runs.append(Run(m["name"] + "_mutant", cases[m["of"]], {m["rule"]: "fail"}, unnamed="any",
                        mutation=(m["of"], m["text"], m["becomes"])))
    for run in runs:
        run.cells = {**dict.fromkeys(table["open"], "any"), **run.cells}
    return table["judged"], runs


def sample(runs, part):
    """The K-th of N parts, as "K/N" says: an application and its twin are in the same one, always."""
    which, parts = (int(number) for number in part.split("/"))
    if not 1 <= which <= parts:
        raise ValueError(f"{part}: K/N, with K from 1 to N")
    return [run for run in runs
            if int(hashlib.sha256(run.case["name"].encode()).hexdigest()[:8], 16) % parts == which - 1]


def scenario(run, values, folder):
    """The scenario with its placeholders filled in; returns its path and its whole length in s."""
    if "ini" in run.case:
        text = f"[run]\nseed = {SEED}\n" + run.case["ini"]
    else:
        with open(os.path.join(HERE, "scenarios", run.case["scenario"] + ".ini"), encoding="utf-8") as f:
            text = f.read()
    text = text.replace(f"seed = {SEED}\n", f"seed = {run.seed}\n"
                        + ("outcomes = no\n" if run.tier == "outcomes" else ""))
    # gunicorn listens before its workers have loaded the application
    if "gunicorn" in run.case.get("start", run.case.get("serve", "")) and not {"during", "stop"} & set(run.case):
        text = text.replace("[phase calm]\nfor = 1500ms\n", "[phase calm]\nfor = 3s\n")
        text = text.replace("[phase calm]\nfor = 2s\n", "[phase calm]\nfor = 4s\n")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    path = os.path.join(folder, run.case.get("scenario", run.case.get("faults")) + ".ini")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    section, length = "", 0.0
    for line in text.splitlines():
        section = line if line.startswith("[") else section
        if section.startswith("[phase") and line.startswith("for ="):
            time_text = line.split("=")[1].strip()
            length += (float(time_text[:-2]) / 1000 if time_text.endswith("ms")
                       else float(time_text[:-1]))
    return path, float(run.case.get("length", length))


def mutate(run, folder):
    """Writes the application without its mitigation; returns its folder."""
    name, text, becomes = run.mutation
    with open(os.path.join(HERE, "apps", name + ".py"), encoding="utf-8") as source:
        program = source.read()
    if program.count(text) != 1:
        raise ValueError(f"{name}: {text!r} is there {program.count(text)} times, not once")
    with open(os.path.join(folder, run.name + ".py"), "w", encoding="utf-8") as out:
        out.write(program.replace(text, becomes))
    return folder


def filled(text, values):
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def command(run, port, apps, folder):
    python = [interpreter(run)]
    if run.tier == "tracer":
        python += ["-m", "coverage", "run", "--data-file", os.path.join(folder, "coverage")]
    if "serve" in run.case:
        return [*python, *filled(run.case["serve"], {"PORT": port, "APP": run.name}).split()]
    start, *options = run.case.get("start", "python").split()
    if start == "uvicorn":
        return [*python, "-m", "uvicorn", "--port", port, "--no-access-log", f"{run.name}:app"]
    if start == "gunicorn":
        return [*python, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", *(options or ["-w", "4"]),
                f"{run.name}:app"]
    return [*python, os.path.join(apps, run.name + ".py")]


def interpreter(run):
    if run.case.get("python") == "pypi":
        return pypi.python()
    return tiers.unknown_python(PYTHON) if run.tier == "stacks" else PYTHON


def load_command(run, port, length):
    if "load" in run.case:
        script, *words = filled(run.case["load"], {"PORT": port, "LENGTH": f"{length:.1f}"}).split()
        return [PYTHON, os.path.join(HERE, run.case["apps"], script), *words]
    words = [PYTHON, LOAD, "--url", f"http://127.0.0.1:{port}", "--for", f"{length:.1f}s", "--json",
             "--rate", str(run.case.get("rate", 8)), "--timeout", run.case.get("timeout", "8s")]
    twin = run.name.rpartition("_")[2]
    for route in run.case.get(f"routes_{twin}") or run.case["routes"]:
        words += ["--route", route]
    return words


def shell(words):
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def execute(run, keep=None):
    """Fills in run.report or run.trouble."""
    began = time.monotonic()
    folder = tempfile.mkdtemp(prefix=f"validate-{run.name}-", dir=keep)
    server, peer_port = peers.start()
    try:
        with contextlib.ExitStack() as needed:
            redis_pid, redis_port = needed.enter_context(services.redis(folder))
            values = {"PEER_PORT": peer_port, "REDIS_PORT": redis_port, "REDIS_PID": redis_pid,
                      "LOCAL": services.local_address(),
                      "SMTP_PORT": needed.enter_context(services.mail()),
                      "DATA": os.path.join(folder, "data"), "PORT": services.free_port()}
            if run.case.get("postgres"):
                values["PG_PORT"] = needed.enter_context(services.postgres(folder))
            values = {key: str(value) for key, value in values.items()}
            for words in run.case.get("beside", []):
                script, *words = filled(words, values).split()
                needed.enter_context(services.ended(subprocess.Popen(
                    [PYTHON, os.path.join(HERE, script), *words], stdout=subprocess.DEVNULL)))
            observe(run, folder, values)
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as exc:
        run.trouble = repr(exc)
    finally:
        server.shutdown()
        server.server_close()
        run.seconds = time.monotonic() - began
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return run


def observe(run, folder, values):
    os.mkdir(values["DATA"])
    apps = mutate(run, folder) if run.mutation else os.path.join(HERE, run.case.get("apps", "apps"))
    path, length = scenario(run, values, folder)
    report, port = os.path.join(folder, "report.json"), values["PORT"]
    words = [mishap(), "run", "-c", path, "-o", os.path.join(folder, "out"), "--quiet",
             "--report", report, *(["--kernel", "off"] if run.tier == "kernel" else []),
             *run.case.get("run", "").split()]
    beside = f"({run.case['during']}) & " if "during" in run.case else ""
    if run.case.get("start") != "worker":
        words += ["--ready", f"127.0.0.1:{port}", "--with",
                  beside + shell(load_command(run, port, length))]
    elif beside:
        words += ["--with", f"{beside}sleep {length:.1f}"]
    else:
        words += ["--for", f"{length:.1f}s"]
    if "stop" in run.case:
        words += ["--for", run.case["stop"], "--grace", "32s"]
    environment = {**os.environ, **values, "PEER": f"http://127.0.0.1:{values['PEER_PORT']}",
                   "PEER2": f"http://127.0.0.2:{values['PEER_PORT']}",
                   "REDIS_URL": f"redis://127.0.0.1:{values['REDIS_PORT']}/0",
                   "PG_DSN": f"host=127.0.0.1 port={values.get('PG_PORT', '0')} user=mishap dbname=postgres",
                   "PYTHONPATH": apps, "PYTHONDONTWRITEBYTECODE": "1"}
    with open(os.path.join(folder, "output.txt"), "wb") as output:
        process = subprocess.Popen(words + ["--"] + command(run, port, apps, folder), env=environment, cwd=folder,
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
        expected = run.cells.get(rule, run.unnamed)
        if expected == "any":
            continue
        got, found = verdict(run.report, rule)
        if expected.startswith("fail"):
            rated = tuple(expected.split()[1:])
            remark = "" if not rated or rated in found or got != "fail" else f"is {found}"
            yield rule, "fail", got, got == "fail", remark
        elif expected == "quiet":
            yield rule, "quiet", got, got != "fail", ""
        else:
            yield rule, expected, got, got == expected, ""
    if run.grade:
        grade = run.report["score"]["grade"]
        yield "grade", run.grade, grade, grade == run.grade, ""


def wrong_cells(run, judged):
    """Cell -> one line about it, for each that is not as labelled; severity and type count, too."""
    if run.trouble:
        return {"trouble": f"{run.title}: {run.trouble}"}
    if run.tier:
        return tiers.wrong_cells(run, compare(run, judged))
    return {rule: f"{run.title} {rule}: expected {run.cells.get(rule, expected)}, got {got}"
                  + (f" ({remark})" if remark else "")
            for rule, expected, got, right, remark in compare(run, judged) if not right or remark}


def mistakes(run, judged):
    return list(wrong_cells(run, judged).values())


def settle(run, judged, keep=None):
    """Runs it again, alone, while its runs disagree about some cell; takes over the run that is the
    most like what two of three say."""
    trials = [run]
    run.first = run.report
    while len(trials) < RUNS:
        wrong = [set(wrong_cells(trial, judged)) for trial in trials]
        if not wrong[0] or (len(wrong) > 1 and wrong[0] == wrong[1]):
            break
        trials.append(execute(fresh(run), keep))
    wrong = [wrong_cells(trial, judged) for trial in trials]
    cells = {cell for each in wrong for cell in each}
    sure = {cell for cell in cells if 2 * sum(cell in each for each in wrong) > len(trials)}
    chosen = min(range(len(trials)), key=lambda i: len(sure ^ set(wrong[i])))
    run.report, run.trouble = trials[chosen].report, trials[chosen].trouble
    run.load = trials[chosen].load
    run.seconds = sum(trial.seconds for trial in trials)
    run.repeated = [list(each.values()) for i, each in enumerate(wrong) if i != chosen]
    return run


def fresh(run, seed=None, tier=None):
    ret = copy.copy(run)
    ret.tier = tier or run.tier
    ret.report, ret.trouble, ret.load, ret.repeated = None, "", {}, []
    ret.seed = run.seed if seed is None else seed
    return ret


def ratio(part, whole):
    return f"{part / whole:6.2f}" if whole else "     -"


def tally(runs, judged):
    """Rule -> how often what."""
    count = defaultdict(Counter)
    for run in runs:
        if not run.report or run.mutation or run.tier:
            continue
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
    return count


def agreement(runs, judged, first=False):
    """Cell -> verdicts under all seeds; cells: application and rule. first: before any was run again."""
    seen = defaultdict(Counter)
    for run in runs:
        if run.report and not run.tier:
            for rule in judged:
                if run.cells.get(rule, run.unnamed) != "any":
                    seen[run.name, rule][verdict(first and run.first or run.report, rule)[0]] += 1
    return seen


def alike(seen):
    return sum(len(verdicts) == 1 for verdicts in seen.values())


def targets(total, runs, judged):
    """One line each: what was aimed at, what was reached."""
    seen, once = agreement(runs, judged), agreement(runs, judged, first=True)
    reached = {"precision": (total["hit"], total["hit"] + total["false"]),
               "recall": (total["hit"], total["hit"] + total["missed"]),
               "abstention": (total["silent"], total["firm"])}
    if len({run.seed for run in runs}) > 1:
        reached["agreement"] = (alike(seen), len(seen))
        yield f"same verdict under all seeds before any was run again: {alike(once)} of {len(once)}"
        yield from (f"  {name} {rule}: " + ", ".join(f"{n} {word}" for word, n in verdicts.items())
                    for (name, rule), verdicts in once.items() if len(verdicts) > 1)
    for name, (part, whole) in reached.items():
        if not whole:
            continue
        value, most = part / whole, name == "abstention"
        met = value <= TARGETS[name] if most else value >= TARGETS[name]
        yield (f"{name} {value:.3f} ({part} of {whole}), aimed at {'<=' if most else '>='} "
               f"{TARGETS[name]:.2f}: {'met' if met else 'MISSED'}")


def summary(runs, judged):
    """The table: per rule the confusion and what follows from it; then the targets."""
    count, total = tally(runs, judged), Counter()
    lines = ["rule      hit missed false  precision recall  passed  abstain  severity+type"]
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
    lines += targets(total, runs, judged)
    mutants = [run for run in runs if run.mutation]
    if mutants:
        fired = sum(not mistakes(run, judged) for run in mutants)
        lines.append(f"mutation check: {fired} of {len(mutants)} rules fired when the mitigation was gone")
    again = [run for run in runs if run.repeated]
    lines.append(f"{len(again)} of {len(runs)} applications were run again, "
                 f"{sum(len(run.repeated) for run in again)} runs more")
    lines += [f"  {line}" for run in again for each in run.repeated for line in each or
              [f"{run.title}: as labelled"]]
    return "\n".join(lines)


def programs(run):
    """The files that a run's result depends on."""
    application = run.mutation[0] if run.mutation else run.name
    library = os.path.join(os.path.dirname(mishap()), "..", "lib", "libmishap.so")
    return mishap(), library, os.path.join(HERE, run.case.get("apps", "apps"), application + ".py")


def execute_all(runs, judged, keep=None, parallel=PARALLEL, done=lambda run: None, once=False):
    runs = list(runs)
    new = [run for run in runs if not kept.recall(run, programs(run))]
    for run in runs:
        if run.report and not mistakes(run, judged):
            done(run)
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        for future in concurrent.futures.as_completed(pool.submit(execute, run, keep) for run in new):
            if not mistakes(future.result(), judged):
                kept.keep(future.result(), programs(future.result()))
                done(future.result())
    for run in runs:
        if mistakes(run, judged):
            done(run if once else settle(run, judged, keep))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of applications; default: all")
    parser.add_argument("-j", type=int, default=PARALLEL, help="how many at a time")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="run each with N seeds")
    parser.add_argument("--without", choices=tiers.TIERS, action="append", default=[],
                        help="run each without this evidence: verdicts are as labelled, or unclear")
    parser.add_argument("--sample", metavar="K/N", help="the K-th of N parts of the applications only")
    parser.add_argument("--keep", metavar="DIR", help="leave recordings and reports there")
    parser.add_argument("--set", choices=["apps", *HELD_OUT], action="append", default=[],
                        help="only this set: apps, or one that was held out; may repeat")
    parser.add_argument("--once", action="store_true", help="what differs from its label is not run again")
    args = parser.parse_args()
    judged, runs = labels(every=True)
    runs = [r for r in runs if not args.set or r.case.get("apps", "apps") in args.set]
    runs = [r for r in runs if not args.names or any(n in r.name for n in args.names)]
    runs = sample(runs, args.sample) if args.sample else runs
    runs = [fresh(r, SEED + k) for k in range(args.seeds) for r in runs]
    if args.without:
        runs = [fresh(r, tier=tier) for tier in args.without for r in runs]
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)

    def done(run):
        wrong = mistakes(run, judged)
        print(f"{'ok ' if not wrong else 'BAD'} {run.title:26} {run.seconds:5.1f} s "
              f"{run.load.get('status', '')}"
              + (f" run {1 + len(run.repeated)} times" if run.repeated else ""), *wrong, sep="\n      ", flush=True)

    began = time.monotonic()
    execute_all(runs, judged, args.keep, args.j, done, args.once)
    print(summary(runs, judged))
    print(f"{len(runs)} runs of applications in {time.monotonic() - began:.0f} s")
    return int(any(mistakes(run, judged) for run in runs))


if __name__ == "__main__":
    sys.exit(main())
