# SPDX-License-Identifier: Apache-2.0
"""Becomes the bundled command: `python -m mishap`, and the script `mishap` of a venv."""

import os
import sys

from mishap import TOOL


def main():
    try:
        os.execv(TOOL, ["mishap"] + sys.argv[1:])
    except OSError as e:
        sys.exit("mishap: cannot start %s: %s" % (TOOL, e.strerror))


if __name__ == "__main__":
    main()
