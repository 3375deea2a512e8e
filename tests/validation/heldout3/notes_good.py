# SPDX-License-Identifier: Apache-2.0
"""Notes in one JSON file of some forty kilobytes, saved with each change."""
import json
import logging
import os
import tempfile
import threading

from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("notes")
PLACE = os.path.join(os.environ["DATA"], "notes.json")
notes = {str(n): "a note that nobody wants to lose, number " + str(n) * 8 for n in range(500)}
lock = threading.Lock()


def save():
    fd, draft = tempfile.mkstemp(dir=os.path.dirname(PLACE))
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            json.dump(notes, out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, PLACE)
    except OSError:
        os.unlink(draft)
        raise


with open(PLACE, "w", encoding="utf-8") as first:
    json.dump(notes, first)


@app.exception_handler(OSError)
def disk(request, exc):
    log.error("not saved", exc_info=exc)
    return JSONResponse({"error": "not_saved"}, 507)


@app.post("/notes/{number}")
def change(number: int):
    with lock:
        notes[str(number)] = "changed"
        save()
    return {"saved": number}
