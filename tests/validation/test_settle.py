# SPDX-License-Identifier: Apache-2.0
"""Two of three runs decide what a cell is; nothing of the others is hidden."""
import pytest

import validate

LISTS = ("findings", "passed", "not_exercised", "not_applicable", "unclear")


def trial(verdict):
    """A run whose report says this of the only rule."""
    report = {name: [] for name in LISTS}
    if verdict == "fail":
        report["findings"].append({"rule": "MH-1", "severity": "High", "type": "Execution"})
    else:
        report["passed"].append({"rule": "MH-1"})
    return validate.Run("app", {}, {"MH-1": "pass"}, report=report)


@pytest.mark.parametrize("said, wrong, again", [
    (["pass"], False, 0), (["fail", "fail"], True, 1), (["fail", "pass", "pass"], False, 2),
    (["fail", "pass", "fail"], True, 2)])
def test_two_of_three(monkeypatch, said, wrong, again):
    trials = [trial(verdict) for verdict in said]
    left = iter(trials[1:])
    monkeypatch.setattr(validate, "execute", lambda run, keep: next(left))
    run = validate.settle(trials[0], ["MH-1"])
    assert bool(validate.mistakes(run, ["MH-1"])) == wrong
    assert len(run.repeated) == again and next(left, None) is None
    if again:
        assert f"1 of 1 applications were run again, {again} runs more" in validate.summary([run], ["MH-1"])
