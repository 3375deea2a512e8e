# SPDX-License-Identifier: Apache-2.0
"""Probes of the library (USDT): named by tools, a nop where nobody watches, and what they say when
somebody does is what was recorded."""

import os
import platform
import re
import subprocess

import pytest
from guest import LIBRARY, PRELUDE, PYTHON, need

PROBES = {"fault_fired", "op_failed", "unit_end"}
NOPS = {"x86_64": ("nop",), "aarch64": ("nop",)}

pytestmark = pytest.mark.skipif(platform.machine() not in NOPS, reason="no probes on " + platform.machine())


def text_of(*words, **how):
    return subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, check=False, **how).stdout


def test_the_library_names_its_probes():
    said = text_of(need("readelf"), "-n", LIBRARY)
    probes = re.findall(r"Provider: (\w+)\n\s+Name: (\w+)\n\s+Location: 0x(\w+), Base: 0x(\w+), Semaphore: 0x0+\n"
                        r"\s+Arguments: (.*)\n", said)
    assert {(provider, name) for provider, name, *_ in probes} == {("mishap", name) for name in PROBES}
    mark = re.search(r"\.stapsdt\.base\s+PROGBITS\s+(\w+)", text_of("readelf", "-SW", LIBRARY)).group(1)
    for _, _, where, base, values in probes:
        assert int(base, 16) == int(mark, 16)
        assert len(values.split()) == 5 and all(re.fullmatch(r"-8@\S+", v) for v in values.split()), values
        code = text_of(need("objdump"), "-d", "--start-address=0x" + where, "--stop-address=%#x" % (int(where, 16) + 1),
                       LIBRARY)
        assert re.search(r"\b%s\b" % NOPS[platform.machine()][0], code), code


def test_bpftrace_lists_them():
    said = text_of(need("bpftrace"), "-l", "usdt:%s:*" % LIBRARY)
    if os.geteuid():
        pytest.skip("bpftrace wants root")
    assert all(":mishap:" + name in said for name in PROBES), said


def test_what_they_say_was_recorded(guest, peer, tmp_path):
    gdb = need("gdb")
    program = tmp_path / "program.py"
    program.write_text(PRELUDE + """
for _ in range(5):
    try: connect().close()
    except OSError: pass
try: socket.create_connection(("127.0.0.1", int(sys.argv[3])))
except OSError: pass
""")
    out = tmp_path / "out"
    out.mkdir()
    config = guest.config("[run]\nprocesses = *\n[fault late]\ncall = connect\nskip = 1\ncount = 3\n"
                          "error = ETIMEDOUT\npeer = 127.0.0.1:%d\n" % peer.plain)
    script = tmp_path / "script.gdb"
    script.write_text("""
set pagination off
set exec-wrapper env LD_PRELOAD=%s MISHAP_OUT=%s MISHAP_CONFIG=%s
tcatch load libmishap
run
break -probe-stap mishap:fault_fired
commands
silent
printf "fault_fired %%d %%d %%d\\n", $_probe_arg0, $_probe_arg2, $_probe_arg3
cont
end
break -probe-stap mishap:op_failed
commands
silent
printf "op_failed %%d %%d 0\\n", $_probe_arg0, $_probe_arg2
cont
end
cont
""" % (LIBRARY, out, config))
    said = text_of(gdb, "-q", "-nx", "-batch", "-x", script, "--args", PYTHON, program, peer.plain, "0", peer.closed,
                   stdin=subprocess.DEVNULL, cwd=tmp_path)
    if "No probe matching" not in said and "libmishap" not in said:
        pytest.skip("gdb cannot run a program here: " + said[-200:])
    seen = sorted((name, int(op), int(err)) for name, op, err in re.findall(r"^(\w+) (\d+) (\d+) 0$", said, re.M))
    import mhr
    recorded = sorted(("fault_fired" if e["fault"] else "op_failed", e["op"], e["err"]) for e in mhr.read_dir(str(out))
                      if e["event"] == "op")
    assert seen == recorded, said
    assert [name for name, *_ in recorded].count("fault_fired") == 3 < len(recorded)
