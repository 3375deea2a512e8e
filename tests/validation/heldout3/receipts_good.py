# SPDX-License-Identifier: Apache-2.0
"""Each receipt is a file that must be on the disk before anybody is told so."""
import itertools
import logging
import os
import time

from flask import Flask

app = Flask(__name__)
log = logging.getLogger("receipts")
numbers = itertools.count()


def keep(text):
    place = os.path.join(os.environ["DATA"], f"receipt-{os.getpid()}-{next(numbers)}")
    fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, text)
        os.fsync(fd)
    except OSError:
        os.unlink(place)
        raise
    finally:
        os.close(fd)


@app.post("/receipt/<int:number>")
def receipt(number):
    text = f"receipt {number}\n".encode() * 8
    try:
        try:
            keep(text)
        except OSError as exc:
            log.warning("a new file, then", exc_info=exc)
            keep(text)
    except OSError as exc:
        log.error("receipt %d is lost", number, exc_info=exc)
        return {"error": "disk"}, 507
    return {"receipt": number}, 201
