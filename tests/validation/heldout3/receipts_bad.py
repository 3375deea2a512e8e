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
        for attempt in range(3):
            try:
                os.fsync(fd)
                return
            except OSError as exc:
                log.warning("fsync failed, once more", exc_info=exc)
                time.sleep(0.05)
        raise OSError("three times")
    finally:
        os.close(fd)


@app.post("/receipt/<int:number>")
def receipt(number):
    text = f"receipt {number}\n".encode() * 8
    try:
        keep(text)
    except OSError as exc:
        log.error("receipt %d is lost", number, exc_info=exc)
        return {"error": "disk"}, 507
    return {"receipt": number}, 201
