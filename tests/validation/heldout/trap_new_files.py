# SPDX-License-Identifier: Apache-2.0
"""A job without a server: a new file for each report, taken away again when the disk is full."""
import logging
import os
import time

for number in range(55):
    name = os.path.join(os.environ["DATA"], f"report-{number}.csv")
    try:
        with open(name, "w", encoding="utf-8") as out:
            for row in range(2000):
                out.write(f"{number},{row}\n")
    except OSError as exc:
        logging.warning("report %d: %r", number, exc)
        os.unlink(name)
    time.sleep(0.12)
