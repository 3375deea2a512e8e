# SPDX-License-Identifier: Apache-2.0
"""The validation set as tests, one per application: `pytest -k timeout` runs only those."""
import os

import pytest

import pypi
import tiers
import validate

SEEDS = int(os.environ.get("VALIDATE_SEEDS", "1"))
TIERS = os.environ.get("VALIDATE_TIERS")  # "all": of each application; else a few of them
JUDGED, ONCE = validate.labels(every=SEEDS > 1 or bool(TIERS))
PART = os.environ.get("VALIDATE_SAMPLE")
ONCE = validate.sample(ONCE, PART) if PART else ONCE
# Many times each: the set itself; those that were held out are long, and there once a day or on their own.
ONCE = [run for run in ONCE if "apps" not in run.case] if SEEDS > 1 or TIERS else ONCE
STEP = 50  # runs between two words on how far it is


def runs():
    if TIERS:
        return [validate.fresh(run, tier=tier) for tier in tiers.TIERS for run in ONCE if not run.mutation]
    few = {} if SEEDS > 1 or PART else validate.table_of("labels.toml")["tiers"]
    ret = [validate.fresh(run, validate.SEED + k) for k in range(SEEDS) for run in ONCE]
    return ret + [validate.fresh(run, tier=tier) for tier, names in few.items() for run in ONCE
                  if run.name in names]


RUNS = runs()
MISSING = tiers.missing(validate.PYTHON)


@pytest.fixture(scope="session")
def done(request):
    """All chosen applications, run some at a time before the first is looked at."""
    if not os.access(validate.mishap(), os.X_OK):
        pytest.skip(f"{validate.mishap()} is not built")
    chosen = {item.callspec.params["run"].title: item.callspec.params["run"]
              for item in request.session.items if hasattr(item, "callspec")
              and isinstance(item.callspec.params.get("run"), validate.Run)
              and item.callspec.params["run"].tier not in MISSING}
    terminal, ready = request.config.pluginmanager.getplugin("terminalreporter"), []

    def done_one(run):
        ready.append(run)
        if len(ready) % STEP == 0:
            terminal.write_line(f"{len(ready)} of {len(chosen)} applications have run")

    validate.execute_all(chosen.values(), JUDGED, done=done_one)
    yield
    request.config.validation_summary = validate.summary(chosen.values(), JUDGED)


@pytest.mark.skipif(SEEDS == 1, reason="one seed")
def test_seeds(done):
    """An application gets the same verdict under each seed."""
    seen = validate.agreement([run for run in RUNS if run.report], JUDGED)
    assert validate.alike(seen) >= validate.TARGETS["agreement"] * len(seen)


@pytest.mark.parametrize("run", RUNS, ids=[run.title for run in RUNS])
def test_labels(done, run):
    if run.tier in MISSING:
        pytest.skip(MISSING[run.tier])
    if pypi.NOT_REACHED in run.trouble:
        pytest.skip(run.trouble)
    wrong = validate.mistakes(run, JUDGED)
    assert not wrong, "\n".join(wrong)
