# SPDX-License-Identifier: Apache-2.0
"""A job without a server or a fault: probes for files, a port and a program that are not there."""
import os
import shutil
import socket
import subprocess
import sys

for name in ("settings.toml", "settings.ini", ".env"):
    try:
        with open(os.path.join(os.environ["DATA"], name), encoding="utf-8") as found:
            print(found.read())
    except FileNotFoundError:
        pass
with socket.socket() as probe:
    probe.settimeout(1)
    print("metrics agent there:", probe.connect_ex(("127.0.0.1", 9)) == 0)
print("no such tool:", shutil.which("no-such-tool-here"))
try:
    subprocess.run(["/nonexistent/tool"], check=True, timeout=5)
except OSError as exc:
    print("optional tool is missing:", exc)
for number in range(10):
    done = subprocess.run([sys.executable, "-c", f"raise SystemExit({number % 2})"], check=False, timeout=10)
    print(number, done.returncode, flush=True)
