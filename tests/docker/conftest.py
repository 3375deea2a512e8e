# SPDX-License-Identifier: Apache-2.0
"""One dockerd for all tests; how large the images are is a table at the suite's end."""
import pytest

import daemon as docker


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    reason = docker.why_not()
    if reason:
        pytest.skip(reason)
    base = docker.root()
    started = docker.Daemon(str(tmp_path_factory.mktemp("docker")))
    try:
        started.start()
        started.import_root(base, docker.BASE)
        started.make_postgres()
        yield started
    finally:
        started.stop()


def pytest_terminal_summary(terminalreporter):
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            said = dict(report.user_properties)
            if report.when == "call" and "image" in said:
                terminalreporter.line("  ".join("%s: %s" % pair for pair in said.items()))
