# SPDX-License-Identifier: Apache-2.0
"""A scenario is run in namespaces of its own; what came of each is a table at the suite's end."""
import pytest

import runs

COLUMNS = ("scenario", "status", "grade", "points", "evidence", "fired", "outcomes", "seconds", "findings")


@pytest.fixture
def scenario(tmp_path_factory, record_property):
    """scenario(NAME or path, changes of the environment...) -> runs.Run; its figures go into the table."""
    def run(name, **how):
        done = runs.Run(name, str(tmp_path_factory.mktemp("scenario")), **how)
        for key, value in done.figures().items():
            record_property(key, value)
        return done
    return run


def pytest_terminal_summary(terminalreporter):
    rows = [dict(report.user_properties) for outcome in ("passed", "failed")
            for report in terminalreporter.getreports(outcome) if report.when == "call"]
    rows = [[str(row[c]) for c in COLUMNS] for row in rows if "scenario" in row]
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows)]
    terminalreporter.section("scenarios")
    for row in [COLUMNS, *sorted(rows)]:
        terminalreporter.line("  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip())
