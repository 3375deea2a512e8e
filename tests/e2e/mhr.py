# SPDX-License-Identifier: Apache-2.0
"""Reads a recording (*.mhr) for tests: a second, independent reader beside lib/event/read.c, written from
mishap-events(5) alone. Types, fields and codes come from that page too, as it is built.

    for e in mhr.read(path):                 # or mhr.read_dir(directory): all files, by time
        e["event"], e["at"], e["tid"], e["tail"], e["err"], ...
    mhr.header(path)["complete"]

Codes are `mhr.NOTE`, `mhr.STEP`, `mhr.SOURCE`, `mhr.LEVEL`, `mhr.SINK`, `mhr.OP`, `mhr.EFFECT`: {name: number}."""

import glob
import os
import re
import struct

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(os.environ.get("MISHAP_BUILD", os.path.join(TREE, "build")), "tools", "man",
                    "mishap-events.5")
MAGIC = b"MISHAP\r\n"
SEGMENT = 1 << 20
MASK = (1 << 64) - 1
_file_header = struct.Struct("=8sIHHIIqqQ64sQ")
_record_header = struct.Struct("=IIqIHHII")


def _page(section):
    """{subsection: [(tag or None, [lines])]} of a section of the page."""
    with open(PAGE, encoding="utf-8") as f:
        text = f.read()
    text = re.search(r"^\.SH %s\n(.*?)(?=^\.SH |\Z)" % section, text, re.S | re.M)[1]
    out = {}
    for part in re.split(r"^\.SS ", text, flags=re.M)[1:]:
        name, rest = part.split("\n", 1)
        rows = re.split(r"^\.(?=TP|PP)", rest, flags=re.M)[1:]
        out[name] = [(re.match(r"TP\n\.B (.*)", r)[1] if r.startswith("TP") else None, r.splitlines())
                     for r in rows]
    return out


def _number(lines):
    return next((int(m[1]) for m in (re.match(r"Number: (\d+)", line) for line in lines) if m), None)


def _events():
    names, fields = {}, {}
    for event, rows in _page("RECORDS").items():
        for tag, lines in rows:
            number = _number(lines)
            if tag is None:
                names[number] = event
                fields[event] = []
            elif number is not None:  # the text has none
                assert number == len(fields[event])
                fields[event].append(tag)
    return names, fields


NAMES, FIELDS = _events()
_CODES = {name: {tag: _number(lines) for tag, lines in rows} for name, rows in _page("CODES").items()}
NOTE, STEP, SOURCE, LEVEL, SINK, TASK, SPOKEN, OP, EFFECT = (
    _CODES[name] for name in ("note", "step", "source", "level", "sink", "task", "spoken", "operation", "effect"))


def _mix(x):
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def _check(offset, length, kind):
    golden = 0x9E3779B97F4A7C15
    inner = _mix(((length << 16 | kind) + golden) & MASK)
    return (_mix((offset + golden + inner) & MASK) & 0xFFFFFFFF) | 1


def _parse_header(data, path):
    if len(data) < 256 or data[:8] != MAGIC:
        raise ValueError("%s: not a recording" % path)
    _, endian, version, size, pid, complete, mono, wall, lost, host, sampled = _file_header.unpack_from(data)
    if endian != 0x01020304 or version != 1:
        raise ValueError("%s: foreign byte order or version %d" % (path, version))
    return {"version": version, "size": size, "pid": pid, "complete": complete, "started_mono": mono,
            "started_wall": wall, "lost": lost, "sampled": sampled, "host": host.rstrip(b"\0").decode()}


def header(path):
    """The file's header as a dict."""
    with open(path, "rb") as f:
        return _parse_header(f.read(256), path)


def _record(data, at):
    """The record at offset `at` as (length, dict), or None when there is none."""
    left = min(SEGMENT - at % SEGMENT, len(data) - at)
    if left < 32:
        return None
    length, check, when, tid, kind, nfields, tail, _ = _record_header.unpack_from(data, at)
    if length < 32 or length % 8 or length > left or 32 + nfields * 8 + tail > length:
        return None
    if check != _check(at, length, kind):
        return None
    name = NAMES.get(kind, "unknown%d" % kind)
    values = struct.unpack_from("=%dq" % nfields, data, at + 32)
    text = data[at + 32 + nfields * 8:at + 32 + nfields * 8 + tail].decode("utf-8", "replace")
    out = dict.fromkeys(FIELDS.get(name, ()), 0)
    out.update(zip(FIELDS.get(name, ()), values))
    out.update(event=name, at=when, tid=tid, tail=text)
    return length, out


def read(path):
    """All sound records of one file, in its order; also of one that was cut or is being written."""
    with open(path, "rb") as f:
        data = f.read()
    at, out = _parse_header(data, path)["size"], []
    while at + 32 <= len(data):
        got = _record(data, at)
        if got:
            at += got[0]
            out.append(got[1])
            continue
        end = min((at // SEGMENT + 1) * SEGMENT, len(data))
        rest = data[at:end].lstrip(b"\0")
        at = end if not rest else max(at + 8, (end - len(rest)) & ~7)
    return out


def read_dir(directory):
    """All records of all processes, by time; each has `pid` of its file added as `file_pid`."""
    out = []
    for path in sorted(glob.glob(os.path.join(directory, "*.mhr"))):
        pid = header(path)["pid"]
        out += [dict(e, file_pid=pid) for e in read(path)]
    return sorted(out, key=lambda e: e["at"])


def stacks(events):
    """{stack id: [(qualified name, file, line), ...] innermost first} of one file's records."""
    out = {}
    for e in events:
        if e["event"] == "stack":
            rows = [line.split("\t") for line in e["tail"].splitlines()]
            out[e["stack"]] = [(r[0], r[1], int(r[2])) for r in rows if len(r) == 3]
    return out


if __name__ == "__main__":
    import json
    import sys

    for name in sys.argv[1:]:
        for event in read(name):
            print(json.dumps(event))
