# SPDX-License-Identifier: Apache-2.0
"""Three of docker/compose's files, side by side; the others are in the suite `scenarios`."""
import concurrent.futures
import os
import sys

import pytest
from guest import TREE

sys.path.append(os.path.join(TREE, "tests", "scenarios"))
runs = pytest.importorskip("runs", reason="python3-yaml is not installed")
import test_machines as rows  # noqa: E402

FAST = ("uvicorn-redis", "celery-redis", "chain")


def test_three_files(tmp_path_factory):
    """One after the other would take three times as long: they wait most of their time."""
    chosen = [row for row in rows.ROWS if row.name in FAST]
    reason = next(filter(None, (runs.why_not(runs.path_of(row.name)) for row in chosen)), None)
    if reason:
        pytest.skip(reason)
    with concurrent.futures.ThreadPoolExecutor(len(chosen)) as pool:
        done = [pool.submit(runs.Run, row.name, str(tmp_path_factory.mktemp(row.name))) for row in chosen]
    for row, run in zip(chosen, done):
        rows.check(run.result(), row)
