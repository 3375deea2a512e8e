# SPDX-License-Identifier: Apache-2.0
"""Every format: its golden text, its limits, what nasty documents do to it (nothing), and how files
come into being."""

import json
import os
import pty
import re
import subprocess
import unicodedata
import xml.etree.ElementTree as ElementTree

import pytest

from reports import BUILD, FORMATS, GOLDEN, SAMPLE, nasty, render, sample, worst

GOLDENS = [("text", "", "sample.txt"), ("text", "v", "sample-verbose.txt"),
           ("text", "a", "sample-ascii.txt"), ("markdown", "", "sample.md"), ("junit", "", "sample.xml"),
           ("sarif", "", "sample.sarif"), ("openmetrics", "", "sample.prom")]


@pytest.mark.parametrize("format_,flags,name", GOLDENS)
def test_golden(format_, flags, name, tmp_path):
    made = render(SAMPLE, format_, tmp_path, flags=flags).decode()
    golden = GOLDEN / name
    if os.environ.get("MISHAP_UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8"), \
        "run with MISHAP_UPDATE_GOLDEN=1 and read the difference"


def columns(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


def long_names(document):
    """Names without a blank, far wider than any column, also in wide characters."""
    def widen(value, key=None):
        if isinstance(value, dict):
            return {k: widen(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [widen(v, key) for v in value]
        return value + ".qualname" * 20 + "漢字" * 20 if isinstance(value, str) else value
    return widen(document)


@pytest.mark.parametrize("change", [lambda d: d, long_names, nasty, worst],
                         ids=["sample", "long", "nasty", "worst"])
@pytest.mark.parametrize("flags", ["", "v", "a", "av"])
@pytest.mark.parametrize("width", [80, 60, 40])
def test_no_line_is_wider_than_asked(change, flags, width, tmp_path):
    text = render(change(sample()), "text", tmp_path, width=width, flags=flags).decode()
    assert [line for line in text.split("\n") if columns(line) > width] == []
    if "a" in flags:
        assert text.isascii()


def test_the_first_screen_is_one_screen(tmp_path):
    document = sample()
    document["findings"] = document["findings"] * 5
    for one in (SAMPLE, document):
        assert len(render(one, "text", tmp_path).decode().splitlines()) <= 50


def test_the_last_line_is_the_next_command(tmp_path):
    assert render(SAMPLE, "text", tmp_path).decode().splitlines()[-1] == " Next: mishap explain MH-0601"


def test_plain_when_not_a_terminal(tmp_path):
    assert b"\x1b" not in render(SAMPLE, "text", tmp_path, to_file=False, env={"TERM": "xterm"})


def on_a_terminal(tmp_path, **env):
    """What the text report writes to a real terminal."""
    path = tmp_path / "document.json"
    path.write_text(json.dumps(SAMPLE), encoding="utf-8")
    main, side = pty.openpty()
    process = subprocess.Popen([str(BUILD / "tests/golden/render"), "text", str(path), "-"],
                               stdout=side, env={"PATH": "/bin", "TERM": "xterm", **env})
    os.close(side)
    seen = b""
    while True:
        try:
            some = os.read(main, 65536)
        except OSError:  # the other end is closed
            break
        if not some:
            break
        seen += some
    os.close(main)
    assert process.wait(20) == 0
    return seen


def test_a_terminal_gets_colour_unless_refused(tmp_path):
    assert b"\x1b[" in on_a_terminal(tmp_path, LC_ALL="C.UTF-8")
    assert b"\x1b" not in on_a_terminal(tmp_path, LC_ALL="C.UTF-8", NO_COLOR="1")
    assert b"\x1b" not in on_a_terminal(tmp_path, LC_ALL="C.UTF-8", TERM="dumb")


def test_the_locale_decides_about_ascii(tmp_path):
    assert on_a_terminal(tmp_path, LC_ALL="C", NO_COLOR="1").isascii()
    assert "─".encode() in on_a_terminal(tmp_path, LC_ALL="C.UTF-8", NO_COLOR="1")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("change", [nasty, worst], ids=["nasty", "worst"])
def test_nasty_text_is_harmless(format_, change, tmp_path):
    made = render(change(sample()), format_, tmp_path, flags="v")
    text = made.decode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    if format_ in ("html", "markdown", "junit"):
        outside = outside_fences(text) if format_ == "markdown" else text
        assert "<img" not in outside and "<script>document" not in outside
    if format_ == "markdown":
        assert "@everyone" not in outside and "[a](" not in outside and "://" not in outside
        assert "\n# head" not in outside


def outside_fences(text):
    """Markdown without its blocks of code, in which everything only shows itself."""
    kept, fence = [], None
    for line in text.split("\n"):
        mark = re.match("`{3,}", line)
        if fence is None and mark:
            fence = mark.group()
        elif fence is not None and line.strip() == fence:
            fence = None
        elif fence is None:
            kept.append(line)
    assert fence is None
    return "\n".join(kept)


def test_json_survives_nasty_text(tmp_path):
    assert json.loads(render(nasty(sample()), "json", tmp_path)) == nasty(sample())


@pytest.mark.parametrize("document", [{}, [], {"run": 1, "score": [], "findings": {}, "cases": "x"},
                                      {"findings": [None, 1, {}, {"site": 3, "evidence": [None]}],
                                       "score": {"principles": [None] * 10}, "passed": [7]}],
                         ids=["empty", "list", "types", "items"])
@pytest.mark.parametrize("format_", FORMATS)
def test_no_document_crashes_a_format(format_, document, tmp_path):
    assert render(document, format_, tmp_path, flags="v")


def test_junit_is_read_by_others(tmp_path):
    root = ElementTree.fromstring(render(SAMPLE, "junit", tmp_path))
    cases = root.findall(".//testcase")
    assert int(root.get("tests")) == len(cases)
    assert int(root.get("failures")) == len(root.findall(".//failure")) == len(SAMPLE["findings"])
    skipped = sum(len(SAMPLE[k]) for k in ("not_exercised", "not_applicable", "unclear"))
    assert int(root.get("skipped")) == len(root.findall(".//skipped")) == skipped
    for suite in root.findall("testsuite"):
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
    assert root.find(".//property[@name='grade']").get("value") == "C"


def test_junit_is_not_green_when_nothing_was_tested(tmp_path):
    document = sample()
    document["findings"], document["run"]["fired"] = [], 0
    root = ElementTree.fromstring(render(document, "junit", tmp_path))
    assert [f.get("message") for f in root.findall(".//failure")] == \
        ["no fault fired: nothing was tested"]


def test_junit_does_not_fail_on_a_suspicion(tmp_path):
    document = sample()
    for finding in document["findings"]:
        finding["confidence"] = "low"
    root = ElementTree.fromstring(render(document, "junit", tmp_path))
    assert root.get("failures") == "0" and not root.findall(".//failure")


def test_junit_is_xml_whatever_the_text(tmp_path):
    for change in (nasty, worst, long_names):
        ElementTree.fromstring(render(change(sample()), "junit", tmp_path))


def test_sarif_has_what_code_scanning_reads(tmp_path):
    log = json.loads(render(SAMPLE, "sarif", tmp_path))
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    run = log["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    placed = [f for f in SAMPLE["findings"] if f["site"]["file"]]
    assert len(set(rules)) == len(rules)
    assert run["properties"]["findingsWithoutPlace"] == len(SAMPLE["findings"]) - len(placed) == 1
    assert len(run["results"]) == len(placed)
    for result, finding in zip(run["results"], placed):
        assert result["ruleId"] == finding["rule"] in rules
        assert result["level"] == {"High": "error", "Medium": "warning", "Low": "note"}[finding["severity"]]
        assert result["partialFingerprints"]["primaryLocationLineHash"] == finding["id"]
        assert result["message"]["text"].startswith(finding["title"] + ": " + finding["site"]["function"])
        [place] = [one["physicalLocation"] for one in result["locations"]]
        assert place["artifactLocation"]["uri"] == finding["site"]["file"]
        assert place["region"] == {"startLine": finding["site"]["line"], "endLine": finding["site"]["line"]}
        steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
        assert [s["location"]["message"]["text"] for s in steps] == \
            [frame["function"] for frame in reversed(finding["site"]["stack"])]
    assert "security-severity" not in json.dumps(log)


def test_sarif_names_no_place_outside_the_repository(tmp_path):
    document = sample()
    document["findings"][0]["site"]["file"] = "/opt/shop/pricing.py"
    document["findings"][1]["site"]["file"] = "shop/a b<c>é.py"
    run = json.loads(render(document, "sarif", tmp_path))["runs"][0]
    assert run["properties"]["findingsWithoutPlace"] == 2
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == \
        "shop/a%20b%3Cc%3E%C3%A9.py"


def gauges(text):
    """Read as strictly as OpenMetrics and the textfile collector together ask: a family's TYPE and HELP
    before its samples, each family in one place, no time stamps, an end mark."""
    lines, family, seen, samples = text.split("\n"), None, set(), {}
    assert lines[-2:] == ["# EOF", ""]
    for line in lines[:-2]:
        kind = re.fullmatch(r"# TYPE (\w+) gauge", line)
        if kind:
            family = kind.group(1)
            assert family not in seen
            seen.add(family)
            continue
        if line.startswith("# HELP "):
            assert line.split(" ")[2] == family
            continue
        one = re.fullmatch(r'(\w+)(\{(?:\w+="(?:[^"\\]|\\["\\])*",?)*\})? (-?[0-9.e+-]+)', line)
        assert one and one.group(1) == family, line
        assert (family, one.group(2)) not in samples
        samples[family, one.group(2)] = float(one.group(3))
    return samples


def test_openmetrics_are_gauges(tmp_path):
    seen = gauges(render(SAMPLE, "openmetrics", tmp_path).decode())
    assert seen["mishap_score", None] == SAMPLE["score"]["points"]
    assert seen["mishap_grade", '{grade="C"}'] == 1
    assert sum(v for (name, _), v in seen.items() if name == "mishap_grade") == 1
    assert sum(v for (name, _), v in seen.items() if name == "mishap_findings") == len(SAMPLE["findings"])
    assert sum(v for (name, _), v in seen.items() if name == "mishap_cases") == len(SAMPLE["cases"])
    assert seen["mishap_run_timestamp_seconds", None] == 1795443302
    gauges(render(nasty(sample()), "openmetrics", tmp_path).decode())


def test_openmetrics_tell_unknown_by_absence(tmp_path):
    document = sample()
    document["score"].update(points=None, survival_index=None, grade="NG")
    document["run"]["healthy"] = None
    seen = {name for name, _ in gauges(render(document, "openmetrics", tmp_path).decode())}
    assert not seen & {"mishap_score", "mishap_survival_ratio", "mishap_healthy"}


def test_markdown_stays_below_its_limit(tmp_path):
    document = nasty(sample())
    document["findings"] = document["findings"] * 60
    made = render(document, "markdown", tmp_path)
    assert len(made) < 60_000
    text = made.decode()
    assert "more findings are in the full report" in text
    assert text.count("<details>") == text.count("</details>")


def test_markdown_tells_no_absolute_path(tmp_path):
    document = sample()
    document["findings"][0]["site"]["file"] = "/home/somebody/secret/shop/pricing.py"
    assert b"/home/somebody" not in render(document, "markdown", tmp_path)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "report.text"
    target.write_text("before")
    render(SAMPLE, "text", tmp_path)
    assert target.read_text().startswith("mishap ")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["document.json", "report.text"]
    document, command = str(tmp_path / "document.json"), str(BUILD / "tests/golden/render")
    target.write_text("before")
    done = subprocess.run([command, "text", document, str(target)], timeout=60,
                          preexec_fn=lambda: small_files(), stderr=subprocess.PIPE)
    assert done.returncode == 1 and done.stderr
    assert target.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["document.json", "report.text"]


def small_files():
    """A disk that is full after 1 KiB."""
    import resource
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))


def test_pipes_and_devices_are_written_in_place(tmp_path):
    path = tmp_path / "document.json"
    path.write_text(json.dumps(SAMPLE), encoding="utf-8")
    before = os.stat("/dev/null").st_rdev
    done = subprocess.run([str(BUILD / "tests/golden/render"), "json", str(path), "/dev/null"], timeout=60)
    assert done.returncode == 0 and os.stat("/dev/null").st_rdev == before
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    done = subprocess.run([str(BUILD / "tests/golden/render"), "json", str(path), str(pipe)], timeout=60)
    assert done.returncode == 0 and json.loads(reader.communicate(timeout=20)[0]) == SAMPLE


def test_modes_follow_the_umask(tmp_path):
    render(SAMPLE, "text", tmp_path)
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "report.text").stat().st_mode & 0o777 == 0o666 & ~mask
