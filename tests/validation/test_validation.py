# SPDX-License-Identifier: Apache-2.0
"""The validation set as tests, one per application: `pytest -k timeout` runs only those."""
import os

import pytest

import validate

SEEDS = int(os.environ.get("VALIDATE_SEEDS", "1"))
JUDGED, ONCE = validate.labels(rare=SEEDS > 1)
RUNS = [validate.fresh(run, validate.SEED + k) for k in range(SEEDS) for run in ONCE]


@pytest.fixture(scope="session")
def done(request):
    """All chosen applications, run some at a time before the first is looked at."""
    if not os.access(validate.mishap(), os.X_OK):
        pytest.skip(f"{validate.mishap()} is not built")
    chosen = {item.callspec.params["run"].title: item.callspec.params["run"]
              for item in request.session.items if hasattr(item, "callspec")
              and isinstance(item.callspec.params.get("run"), validate.Run)}
    validate.execute_all(chosen.values(), JUDGED)
    yield
    request.config.validation_summary = validate.summary(chosen.values(), JUDGED)


@pytest.mark.parametrize("run", RUNS, ids=[run.title for run in RUNS])
def test_labels(done, run):
    wrong = validate.mistakes(run, JUDGED)
    assert not wrong, "\n".join(wrong)
