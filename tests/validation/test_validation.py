# SPDX-License-Identifier: Apache-2.0
"""The validation set as tests, one per application: `pytest -k timeout` runs only those."""
import os

import pytest

import validate

JUDGED, RUNS = validate.labels()


@pytest.fixture(scope="session")
def done(request):
    """All chosen applications, run some at a time before the first is looked at."""
    if not os.access(validate.mishap(), os.X_OK):
        pytest.skip(f"{validate.mishap()} is not built")
    chosen = {item.callspec.params["run"].name: item.callspec.params["run"]
              for item in request.session.items if hasattr(item, "callspec")
              and isinstance(item.callspec.params.get("run"), validate.Run)}
    validate.execute_all(chosen.values())
    yield
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line("")
        reporter.write_line(validate.summary(chosen.values(), JUDGED))


@pytest.mark.parametrize("run", RUNS, ids=[run.name for run in RUNS])
def test_labels(done, run):
    wrong = validate.mistakes(run, JUDGED)
    assert not wrong, "\n".join(wrong)
