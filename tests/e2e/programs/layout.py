# SPDX-License-Identifier: Apache-2.0
"""An interpreter that is not as the table says: layout.py HEX SKEW. Prints what captures answer;
`layout.py agree` whether the table and the interpreter agree; `layout.py free-threaded` as HEX 0 in an
interpreter that says that of itself (the third word of _Py_DebugOffsets); `layout.py as-it-is` as it is."""

import ctypes
import json
import os
import sys

probe = ctypes.CDLL(os.environ["PROBE"])
if sys.argv[1] == "agree":
    print(probe.probe_layouts_agree())
    sys.exit()
if sys.argv[1] == "free-threaded":
    (ctypes.c_uint64 * 3).in_dll(ctypes.pythonapi, "_PyRuntime")[2] = 1
    probe.probe_pretend(0, 0, 0)
elif sys.argv[1] != "as-it-is":
    probe.probe_pretend(int(sys.argv[1], 16), int(sys.argv[2]), 0)
out = (ctypes.c_uint64 * 3)()
answers = []
for _ in range(3):
    probe.probe_place(out)
    answers.append(list(out))
    probe.probe_watch_now(1)
print(json.dumps(answers))
