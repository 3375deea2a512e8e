# SPDX-License-Identifier: Apache-2.0
"""`mishap explain`: every rule of the catalogue can be read, by every spelling of its id."""

import json
import re
import subprocess

import pytest

from reports import BUILD, SAMPLE, TREE

RULES = re.findall(r'^RULE(?:_LATER)?\("(MH-\d{4})", "([^"]+)"',
                   (TREE / "tools/grade/rules.def").read_text(encoding="utf-8"), re.M)


def explain(*words):
    return subprocess.run([str(BUILD / "tools/mishap"), "explain", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=30, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("rule,title", RULES, ids=[r[0] for r in RULES])
def test_every_rule_is_explained(rule, title):
    done = explain(rule)
    assert done.returncode == 0 and not done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "%s %s" % (rule, title)
    assert "What it means" in lines and lines[-1].startswith("Next: mishap ")
    assert max(map(len, lines)) <= 80 and "\x1b" not in done.stdout
    judged = "This version does not judge it yet" not in done.stdout
    assert judged == ("How to fix it" in lines) == ("What proves it" in lines)


def test_ids_may_be_short():
    expected = explain("MH-0601").stdout
    assert expected.startswith("MH-0601 ")
    for spelling in ("mh-0601", "0601", "601"):
        assert explain(spelling).stdout == expected


def test_several_rules_at_once():
    done = explain("0101", "0502")
    assert done.stdout == explain("0101").stdout + "\n" + explain("0502").stdout


@pytest.mark.parametrize("word,says", [("MH-0610", "did you mean 'MH-0601'"), ("timeout", "mishap list rules"),
                                       ("", "no rule ''"), ("99999", "no rule"), ("-1", "invalid option"),
                                       ("MH-", "no rule 'MH-'")])
def test_what_is_no_rule(word, says):
    done = explain(word)
    assert done.returncode == 2 and says in done.stderr and not done.stdout


def test_no_rule_at_all():
    assert explain().returncode == 2 and "which rule?" in explain().stderr


def test_a_report_points_to_rules_that_exist():
    known = {rule for rule, _ in RULES}
    used = {f["rule"] for f in SAMPLE["findings"]}
    for list_ in ("passed", "not_exercised", "not_applicable", "unclear"):
        used |= {v["rule"] for v in SAMPLE[list_]}
    assert used <= known, json.dumps(sorted(used - known))
