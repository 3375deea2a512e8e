# SPDX-License-Identifier: Apache-2.0
"""One dockerd for all tests."""
import pytest

import daemon as docker


@pytest.fixture(scope="session")
def daemon(tmp_path_factory):
    reason = docker.why_not()
    if reason:
        pytest.skip(reason)
    docker.root()
    started = docker.Daemon(str(tmp_path_factory.mktemp("docker")))
    try:
        started.start()
        started.import_base()
        started.make_postgres()
        yield started
    finally:
        started.stop()
