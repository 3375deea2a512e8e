# SPDX-License-Identifier: Apache-2.0
"""Files of advice: fixes are code that somebody will copy, so each snippet is run (advice.py) against the library
that it names: Debian's, or with MISHAP_ADVICE=PYTHON those of another one, where none may be missing. Then
what a newcomer does with a file of advice: list, explain, and mistakes with their lines."""
import ast
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import advice
from guest import BUILD, PYTHON, TREE

FOLDER = pathlib.Path(TREE) / "config/advice"
FILES = sorted(p.name for p in FOLDER.glob("*.ini"))
MISHAP = os.path.join(BUILD, "tools", "mishap")
OTHER = os.environ.get("MISHAP_ADVICE")


def mishap(*words):
    return subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL)


def run(path):
    done = subprocess.run([OTHER or PYTHON, os.path.join(os.path.dirname(__file__), "advice.py"), str(path)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FILES)
def test_snippets(name):
    results = run(FOLDER / name)
    wrong = [r for r in results if r[1] != "ok" and not r[1].startswith("skip: ")]
    assert not wrong
    missing = [r[1][6:] for r in results if r[1].endswith("is not installed")]
    assert not (missing and OTHER), missing
    if results and not any(r[1] == "ok" for r in results):
        pytest.skip(results[0][1][6:])


@pytest.mark.parametrize("code,says", [
    ("answer = requests.get(url, timeout=(1, 2", "SyntaxError"), ("answer = requests.git(url)", "AttributeError"),
    ("answer = requests.get(url, timeouts=1)", "TypeError"), ("answer = requests.get(uri)", "NameError"),
    ("session = requests.Session(1)", "TypeError"), ("answer = requests.get('shop')", "MissingSchema"),
    ("def pay(key):\n  |     return requests.get(url, time_out=1)", "TypeError"),
    ("import requestz", "ModuleNotFoundError")])
def test_a_wrong_snippet_is_noticed(tmp_path, code, says):
    path = tmp_path / "requests.ini"
    path.write_text("[library]\nname = requests\nmodules = requests\nrole = client\n"
                    f"error = requests.ConnectionError\n[MH-0601]\ncode =\n  | {code}\n")
    assert run(path)[0][1].startswith(says)


def rules():
    """{rule: its texts}, of those that are judged."""
    text = (pathlib.Path(TREE) / "tools/grade/rules.def").read_text(encoding="utf-8")
    rows = re.findall(r'^RULE\("(MH-\d+)".*?\n((?:     ".*\n)+)', text, re.M)
    assert len(rows) == len(re.findall(r'^RULE\("', text, re.M))
    return {rule: [ast.literal_eval(t) for t in re.findall(r'"(?:[^"\\]|\\.)*"', lines)] for rule, lines in rows}


def test_every_rule_has_advice():
    """What is printed where no file fits: each rule that is judged says what to do."""
    for rule, texts in rules().items():
        assert all(texts), rule


def run_codes(tmp_path, codes):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(codes))
    done = subprocess.run([OTHER or PYTHON, os.path.join(os.path.dirname(__file__), "advice_rules.py"), str(path)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, "MISHAP": MISHAP})
    assert done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_snippets_of_the_rules(tmp_path):
    """The code of rules.def is run as well, each rule's."""
    codes = {rule: texts[4] for rule, texts in rules().items()}
    results = run_codes(tmp_path, codes)
    assert len(results) == len(codes) > 60
    skipped = [r for r in results if r[1].startswith("skip: ")]
    # Debian's uvicorn is older than this option
    late = [r for r in results if r[1] == "there is no uvicorn --timeout-graceful-shutdown" and not OTHER]
    assert [r for r in results if r[1] != "ok" and r not in skipped + late] == []
    assert len(skipped) <= (0 if OTHER else 8), skipped


@pytest.mark.parametrize("code,says", [
    ("requests.get(url, timeouts=3)", "TypeError"), ("except OSErr as exc:\n    raise", "NameError"),
    ("uvicorn --limit-requests 3", "there is no uvicorn --limit-requests"), ("wait=wait_random(max=5)", "NameError"),
    ("@retry(stop=stop_after_attempts(3))", "NameError"), ("mishap run --plans full", "there is no mishap --plans"),
    ("except OSError as exc:\n    log.warn_(exc)", "AttributeError"), ("return fallbacks", "NameError")])
def test_a_wrong_snippet_of_a_rule_is_noticed(tmp_path, code, says):
    assert run_codes(tmp_path, {"MH-0601": code})[0][1].startswith(says)


def test_every_file_says_what_its_library_is():
    for name in FILES:
        sections = advice.read(FOLDER / name)
        library = dict(sections)["library"]
        bundled = library["role"] == "stdlib" or library.get("package") == "python"
        assert bundled or library.get("status"), name
        assert library.get("status", "maintained").startswith("maintained") or library.get("note"), name
        assert all("say" in keys for _, keys in sections[1:]), name


def test_the_readme_has_every_placeholder():
    table = (pathlib.Path(TREE) / "tools/grade/placeholders.def").read_text(encoding="utf-8")
    rows = re.findall(r'^PLACEHOLDER\((\w+), ".*?", "(.*)"\)$', table, re.M)
    assert len(rows) == table.count("\nPLACEHOLDER(")
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `\{(\w+)\}` \| (.*) \|$", readme, re.M) == rows
    assert {name for name, _ in rows} == {*advice.FILLED, "peer", "error"}


def test_the_list_has_them_all():
    done = mishap("list", "advice", "--format=json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)
    assert len(rows) == len(FILES)


def test_one_library_is_explained():
    done = mishap("explain", "MH-0601", "--library", "aiohttp")
    assert (done.returncode, done.stderr) == (0, "")
    assert "aiohttp.ClientTimeout(total=5" in done.stdout and "maintained 3." in done.stdout
    assert "{" not in done.stdout and "requests" not in done.stdout
    assert "aiohttp" in mishap("explain", "601").stdout
    done = mishap("explain", "MH-0203", "--library", "requests")
    assert done.returncode == 0 and "Nothing of its own" in done.stdout
    done = mishap("explain", "MH-0601", "--library", "reqests")
    assert done.returncode == 2 and "did you mean 'requests'?" in done.stderr


GOOD = "[library]\nname = own\nmodules = own\nrole = client\n[MH-0601]\ncode = own.call(timeout={read})\n"


@pytest.mark.parametrize("text,line,says", [
    (GOOD.replace("role", "rule"), 4, "there is no key 'rule' (did you mean 'role'?)"),
    (GOOD.replace("client", "clent"), 4, "role = clent: client, framework, server, tool or stdlib"),
    (GOOD.replace("{read}", "{reed}"), 6, "unknown placeholder {reed}"),
    (GOOD.replace("MH-0601", "MH-9999"), 5, "[MH-9999]: sections are [library] and [MH-nnnn]"),
    (GOOD.replace("[library]\n", ""), 1, "'name' is before [library]"),
    (GOOD + "code = x\n", 7, "code is there twice"), (GOOD + "[MH-0601]\nsay = x\n", 7, "[MH-0601] is there twice"),
    (GOOD + "docs = http://x\n", 7, "an address that begins with https://"),
    (GOOD + "what\n", 7, "'what' is no 'key = value'"), (GOOD + "say = a ; b\n", 7, "comments stand in lines of"),
    (GOOD + "say = " + "x" * 200 + "\n", 7, "longer than 195 bytes"),
    (GOOD + "[MH-0602]\nnote = x\n", 7, "neither 'say' nor 'code'"),
    (GOOD.replace("role", "versions = 4\nrole"), 4, "versions = 4: '>=VERSION', '<VERSION' or both"),
    (GOOD.replace("role", "status = fine 1.0\nrole"), 4, "status = fine 1.0: maintained, quiet or dead"),
    ("  | x\n" + GOOD, 1, "goes on with no key"), (GOOD + "say = a\tb\n", 7, "a tab"),
    ("", 0, "there is no [library] in it"), ("[library]\nname = own\nrole = client\n[MH-0601]\nsay = x\n", 0,
                                             "[library] has no 'modules'"),
    ("[library]\nname = own\nmodules = own\nrole = client\n", 0, "it has no advice")])
def test_mistakes_have_their_line(tmp_path, text, line, says):
    path = tmp_path / "own.ini"
    path.write_text(text)
    shutil.copy(FOLDER / "requests.ini", tmp_path)
    done = mishap("explain", "MH-0601", "--library", "requests", "--advice", tmp_path)
    assert done.returncode == 3
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"mishap: {path}:{line}: " if line else f"mishap: {path}: ") and says in first, first
    assert "timeout=(3.05, 5)" in done.stdout  # the sound file counts


def test_a_file_of_ones_own(tmp_path):
    (tmp_path / "own.ini").write_text(GOOD)
    done = mishap("explain", "MH-0601", "--library", "own", "--advice", tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and "own.call(timeout=5)" in done.stdout


def test_no_folder_is_said_once_and_is_no_failure(tmp_path):
    done = mishap("explain", "MH-0601", "--advice", tmp_path / "none")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "own" in done.stderr
    assert "What it means" in done.stdout
