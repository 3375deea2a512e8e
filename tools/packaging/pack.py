# SPDX-License-Identifier: Apache-2.0
"""pack.py FOLDER VERSION PLATFORM TREE OUT: FOLDER's package as a wheel in OUT; prints its path. What is
in it comes in order and with one date (SOURCE_DATE_EPOCH), so that two builds of one tree are alike."""

import base64
import hashlib
import os
import sys
import time
import zipfile

METADATA = """Metadata-Version: 2.1
Name: mishap
Version: {version}
Summary: Injects faults into the libc calls of a Python service, watches how it copes, and grades it
License: Apache-2.0
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Topic :: Software Development :: Testing
Requires-Python: >=3.8
Description-Content-Type: text/markdown

"""
WHEEL = """Wheel-Version: 1.0
Generator: mishap
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""
ENTRY_POINTS = "[console_scripts]\nmishap = mishap.__main__:main\n"


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def contents(folder):
    """(name in the wheel, bytes, mode) of every file below folder, sorted."""
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(here, name)
            with open(path, "rb") as f:
                yield os.path.relpath(path, folder), f.read(), os.stat(path).st_mode & 0o777


def main(folder, version, platform, tree, out):
    info = "mishap-%s.dist-info/" % version
    added = {
        "METADATA": METADATA.format(version=version) + text(os.path.join(tree, "README.md")),
        "WHEEL": WHEEL.format(platform=platform),
        "entry_points.txt": ENTRY_POINTS,
        "LICENSE": text(os.path.join(tree, "LICENSE")),
    }
    files = list(contents(folder)) + [(info + n, t.encode(), 0o644) for n, t in added.items()]
    record = ""
    for name, data, _ in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (name, digest, len(data))
    record += info + "RECORD,,\n"
    files.append((info + "RECORD", record.encode(), 0o644))
    # A zip knows no year before 1980.
    date = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), 315532800))[:6]
    path = os.path.join(out, "mishap-%s-py3-none-%s.whl" % (version, platform))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data, mode in files:
            entry = zipfile.ZipInfo(name, date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | mode) << 16
            wheel.writestr(entry, data)
    print(path)


main(*sys.argv[1:])
