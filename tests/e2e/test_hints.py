# SPDX-License-Identifier: Apache-2.0
"""What the grader advises for what was not exercised: each of its faults is one that `mishap check` takes."""

import os
import pathlib
import re
import subprocess

import pytest

from guest import BUILD, TREE

# A fault in a hint, from its head to what only explains it.
HINT = re.compile(r"\[fault x\] (.*?)(?:;|, and | under |$)", re.S)
STANDS_FOR = {"ONE OF THEM": "db:5432", "BROKER:PORT": "broker:5672", "PEER:PORT": "redis:6379"}


def texts():
    """Texts of C, those that stand side by side as the one that they are."""
    for path in sorted((pathlib.Path(TREE) / "tools/grade").glob("*.c")):
        source = re.sub(r'"\s*\n\s*"', "", path.read_text(encoding="utf-8"))
        yield from re.findall(r'"((?:[^"\\\n]|\\.)*)"', source)


def hints():
    return sorted({m[1].strip().rstrip(",") for text in texts() for m in HINT.finditer(text)})


def scenario(hint):
    for word, example in STANDS_FOR.items():
        hint = hint.replace(word, example)
    return "[fault x]\n" + "\n".join(part.strip() for part in re.split(r", (?=\w+ = )", hint)) + "\n"


def test_there_are_hints():
    assert len(hints()) > 20


@pytest.mark.parametrize("hint", hints())
def test_a_hint_is_a_fault(hint, tmp_path):
    file = tmp_path / "hint.ini"
    file.write_text(scenario(hint), encoding="utf-8")
    done = subprocess.run([os.path.join(BUILD, "tools", "mishap"), "check", str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=20)
    assert done.returncode == 0, scenario(hint) + done.stdout
