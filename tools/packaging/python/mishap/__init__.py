# SPDX-License-Identifier: Apache-2.0
"""Carries the mishap command, its preload library and its scenarios; PREFIX is where they are."""

import os

PREFIX = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(PREFIX, "bin", "mishap")
LIBRARY = os.path.join(PREFIX, "lib", "mishap", "libmishap.so")
