# SPDX-License-Identifier: Apache-2.0
"""Runs of applications with less evidence: what each way takes away, and what may then be said. A
verdict may become unclear, but never another one."""
import atexit
import functools
import os
import shutil
import struct
import subprocess
import tempfile

# The name of a run with less evidence: what is different in it.
TIERS = {
    "outcomes": "the scenario says `outcomes = no`",
    "tracer": "coverage.py traces the application",
    "stacks": "the interpreter is of a version that nobody knows",
    "kernel": "the kernel is not asked",
}
UNKNOWN_VERSION = 0x031E00F0


def missing(python):
    """Tiers that cannot be taken away here -> why."""
    ret = {}
    if subprocess.run([python, "-c", "import coverage"], stderr=subprocess.DEVNULL, check=False).returncode:
        ret["tracer"] = "no coverage.py here"
    if not unknown_python(python):
        ret["stacks"] = f"{python} does not export its version as a word"
    return ret


@functools.lru_cache(maxsize=None)
def unknown_python(python):
    """A copy of the interpreter that says that it is of a version to come; None where it cannot be made."""
    program = subprocess.run([python, "-c", "import sys; print(sys.executable)"], stdout=subprocess.PIPE,
                             text=True, check=True).stdout.strip()
    folder = tempfile.mkdtemp(prefix="validate-python-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = os.path.join(folder, os.path.basename(os.path.realpath(program)))
    shutil.copy(os.path.realpath(program), copy)
    with open(copy, "r+b") as elf:
        data = elf.read()
        at = _word_at(data, b"Py_Version")
        if at is None:
            return None
        elf.seek(at)
        elf.write(struct.pack("=Q", UNKNOWN_VERSION))
    return copy


def _word_at(data, name):
    """The offset in the file of a global object of this name in a 64-bit ELF file; None: there is none."""
    if data[:5] != b"\x7fELF\x02":
        return None
    at, size, count = struct.unpack_from("=Q", data, 40)[0], *struct.unpack_from("=HH", data, 58)
    heads = [struct.unpack_from("=IIQQQQIIQQ", data, at + i * size) for i in range(count)]
    for head in heads:
        if head[1] != 11:  # SHT_DYNSYM
            continue
        strings = heads[head[6]][4]
        for symbol in range(head[4], head[4] + head[5], 24):
            text, _, _, section, value, _ = struct.unpack_from("=IBBHQQ", data, symbol)
            end = data.index(b"\0", strings + text)
            if data[strings + text:end] == name and 0 < section < len(heads):
                return value - heads[section][3] + heads[section][4]
    return None


def wrong_cells(run, compared):
    """Cell -> one line about it: those of `compared` that say something else than they should, and
    not that they are unclear."""
    return {rule: f"{run.title} {rule}: expected {expected} or unclear, got {got}"
            for rule, expected, got, right, _ in compared
            if not right and got != "unclear" and rule != "grade"}
