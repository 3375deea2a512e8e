# SPDX-License-Identifier: Apache-2.0
"""os.preadv() and os.pwritev() are reads and writes like any other."""

import errno

from test_effects import ALL, run


def test_errors_and_budgets_reach_them(guest, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    r = run(guest, """
        f = os.open(sys.argv[3], os.O_RDWR)
        def attempt(what):
            try: return what()
            except OSError as e: return -e.errno
        b = bytearray(10)
        reply(read=[attempt(lambda: os.preadv(f, [b], 0)) for _ in range(2)],
              written=[attempt(lambda: os.pwritev(f, [b"a" * 60, b"b" * 60], 90)) for _ in range(2)],
              again=attempt(lambda: os.pwritev(f, [b"c" * 60], 0)))
    """, ALL + "call = read\nerror = EIO\ncount = 1\npath = %s/**\n[fault full]\ncall = write\ndisk = 100 bytes\n"
         "path = %s/**\n" % (tmp_path, tmp_path), 0, path)
    assert r.json() == {"read": [-errno.EIO, 10], "written": [110, 110], "again": 60}
    assert path.stat().st_size == 200
