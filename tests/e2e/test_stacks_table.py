# SPDX-License-Identifier: Apache-2.0
"""What can be known on which CPython: seen here, and compared with the table in lib/python/README.md.
Run as a program it renews that table: python3 tests/e2e/test_stacks_table.py"""

import os
import re
import sys
import tempfile

import mhr
from guest import TREE, Guest
from pythons import FOUND, every_python, minor, need_python, run, steps

README = os.path.join(TREE, "lib", "python", "README.md")
HEAD = ["CPython", "stack, line", "names", "task", "who waits for it", "origin, user", "outcome by", "and in"]
POOLED = """
    import asyncio

    async def make(port):
        return await asyncio.open_connection("127.0.0.1", port)

    async def use(writer):
        writer.write(b"hello")

    async def serve(reader, writer):
        await reader.read(5)
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await make(server.sockets[0].getsockname()[1])
        await use(writer)
        await reader.read(1)
        writer.close()
        server.close()

    asyncio.run(main())
    print("{}")
"""


def frames(path):
    said, events = run(path, "generated.py", 7, 20)
    stacks = mhr.stacks(events)
    pairs = [(want, have) for s in said for want, have in zip(s["frames"], stacks[s["stack"]])]
    same = all(want[2:] == list(have[1:]) for want, have in pairs)
    qualified = all(have[0] == want[1] for want, have in pairs)
    return "yes" if same else "no", "qualified" if qualified else "class of self"


def tasks(path):
    said, events = run(path, "names.py")
    found = [(e["task"], e["tail"].split("\n")) for e in events if e["event"] == "name" and e["task"]]
    named = {(t, lines[0].split("\t")[0]) for t, lines in found}
    chain = next(lines for _, lines in found if lines[0].split("\t")[1] == "leaf")
    gathered = any("\tgathered" in line for _, lines in found for line in lines[1:] if lines[0].endswith("\tleaf"))
    return "named" if all(tuple(t) in named for t in said["tasks"]) else "number", \
        "also gather()" if gathered else "direct" if len(chain) == 3 else "no"


def origin(path):
    with tempfile.TemporaryDirectory() as directory:
        result = Guest(directory).code(POOLED, python=path, timeout=15)
        result.json()
        events = result.events()
    stacks = mhr.stacks(events)

    def on_stack(kind, name):
        return any(name == f[0] for e in events if e["event"] == kind and e["stack"] for f in stacks[e["stack"]])
    made = on_stack("connect", "make") and not on_stack("connect", "use")
    used = on_stack("request", "use") and not on_stack("request", "make")
    return "both" if made and used else "origin" if made else "user" if used else "no"


def outcome(path):
    _, events = run(path, "errors.py", "wrapped")
    if [s[0] for s in steps(events)] != ["born", "replaced", "handled"]:
        return "no", ""
    sources = {number: name for name, number in mhr.SOURCE.items()}
    (source,) = {sources[e["source"]] for e in events if e["event"] == "outcome"}
    _, events = run(path, "errors.py", "executor")
    elsewhere = len(steps(events)) > 2
    return ("sys.monitoring", "all threads") if source == "monitoring" else \
        ("a trace function", "its thread, main" if elsewhere else "its thread")


def row(name, path):
    version = "3.%d" % minor(path)
    return [version if name == version else version + ", Debian", *frames(path), *tasks(path), origin(path),
            *outcome(path)]


def line(cells):
    return "| " + " | ".join(cells) + " |"


def written():
    with open(README, encoding="utf-8") as f:
        return re.search(r"(?s)(<!-- versions:.*?-->\n)(.*?)\n\n", f.read())


@every_python
def test_the_table_is_true(python):
    path = need_python(python)
    assert line(row(python, path)) in written()[2].splitlines()


def main():
    rows = [line(HEAD), line(["---"] * len(HEAD))]
    rows += [line(row(name, path)) for name, path in FOUND.items() if path]
    with open(README, encoding="utf-8") as f:
        text = f.read()
    old = written()[2]
    with open(README, "w", encoding="utf-8") as f:
        f.write(text.replace(old, "\n".join(rows)))


if __name__ == "__main__":
    sys.exit(main())
