# SPDX-License-Identifier: Apache-2.0
"""The table of rules below the tests: what is written while a test runs is kept from the terminal."""


def pytest_terminal_summary(terminalreporter):
    text = getattr(terminalreporter.config, "validation_summary", None)
    if text:
        terminalreporter.write_line("\n" + text)
