#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who includes whom: rooms only look down, in no circle, and blocks of #include stand in their order."""
import os
import re

import tree

# A room may include those of its own row and of the rows above; the graph of a row has no circle.
LIB = [["base"], ["table"], ["rule", "event", "control", "python", "wire", "native"], ["fd", "memory"], ["fault"],
       ["hooks"]]
# The command's rooms, and all that each may see. "tools" are the files without a room.
TOOLS = {
    "model": {"base", "table", "rule", "event", "tools"},
    "grade": {"base", "table", "rule", "model", "tools"},
    "report": {"base", "table", "rule", "grade", "tools"},
    "kernel": {"base", "table", "event", "tools"},
    "run": {"base", "table", "rule", "event", "control", "kernel", "tools"},
    "attach": {"base", "table", "rule", "control", "run", "tools"},
    "tools": {"base", "table", "rule", "event", "control", "model", "grade", "report", "kernel",
              "run", "attach"},
}
INCLUDE = re.compile(r'^#\s*include\s+(["<])([^">]+)[">]', re.M)


def room_of(path):
    """lib/fd/epoll.c -> fd; tools/log.h -> tools; None for what has no room."""
    parts = path.split(os.sep)
    if parts[0] == "lib":
        return parts[1] if len(parts) > 2 else "api"
    return parts[1] if len(parts) > 2 else "tools"


def target_room(name):
    return name.split("/")[0] if "/" in name else "tools"


def allowed(path, room):
    if path.startswith("lib"):
        for i, row in enumerate(LIB):
            if room in row:
                return {r for above in LIB[:i + 1] for r in above}
        return {"base"}
    return TOOLS.get(room, set()) | {room}


def circle(edges):
    """A list of rooms that include each other in a circle, or None."""
    def walk(room, trail):
        if room in trail:
            return trail[trail.index(room):] + [room]
        for other in sorted(edges.get(room, ())):
            found = walk(other, trail + [room])
            if found:
                return found
        return None
    return next((c for c in (walk(r, []) for r in sorted(edges)) if c), None)


def order(path, includes):
    """Own header, system, ours, base/banned.h: the order of the blocks of a .c file."""
    own = re.sub(r"^(lib|tools)/|\.c$", "", path) + ".h"
    exists = os.path.exists(os.path.join(tree.ROOT, re.sub(r"\.c$", ".h", path)))
    names = [n for _, n in includes if not n.endswith(".def")]
    kinds = [k for k, n in includes if not n.endswith(".def")]
    if exists and names[:1] != [own]:
        yield f"{path}: its own header {own} is not the first include"
    if exists or names[:1] and names[0].startswith(room_of(path) + "/"):  # a header of the room, split
        names, kinds = names[1:], kinds[1:]
    if path.endswith(".bpf.c"):  # has no libc
        return
    if "base/banned.h" not in names:
        yield f"{path}: does not include base/banned.h"
        return
    at = names.index("base/banned.h")
    if any(k == '"' for k in kinds[at + 1:]):
        yield f"{path}: base/banned.h is not the last include"
    if any(k == "<" and '"' in kinds[:i] for i, k in enumerate(kinds[:at])):
        yield f"{path}: a system header after one of ours"


def main():
    findings, edges, looked = [], {}, 0
    for path in tree.files(".c", ".h", ".def", under=("lib", "tools")):
        looked += 1
        room, includes = room_of(path), INCLUDE.findall(tree.text(path))
        for kind, name in includes:
            to = target_room(name)
            if kind == "<":
                continue
            if path.startswith("lib"):
                edges.setdefault(room, set()).update({to} - {room})
            if to not in allowed(path, room):
                findings.append(f"{path}: {room} must not include {name}")
        if path.endswith(".c"):
            findings += order(path, includes)
    found = circle(edges)
    if found:
        findings.append("rooms include each other: " + " -> ".join(found))
    tree.finish(findings, looked)


main()
