# SPDX-License-Identifier: Apache-2.0
"""celery_load.py SECONDS FILE PATIENCE: a task each 100 ms, its id into the file; waits until all have run, or for so long
none more; which did, into FILE.done."""

import sys
import time

import celery_jobs

seconds, path, patience = float(sys.argv[1]), sys.argv[2], float(sys.argv[3])
end, sent = time.monotonic() + seconds, 0
with open(path, "w", encoding="ascii") as ids:
    while time.monotonic() < end:
        print(celery_jobs.mark.delay().id, file=ids, flush=True)
        sent += 1
        time.sleep(0.1)
ran, since = -1, time.monotonic()
while ran < sent and time.monotonic() < since + patience:
    now = celery_jobs.store.scard("done")
    if now != ran:
        ran, since = now, time.monotonic()
    time.sleep(0.1)
with open(path + ".done", "w", encoding="ascii") as ids:
    print(*(i.decode() for i in celery_jobs.store.smembers("done")), file=ids)
