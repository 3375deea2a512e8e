# SPDX-License-Identifier: Apache-2.0
"""A job without a server appends to a journal, and takes a failed fsync for a trifle."""
import contextlib
import logging
import os
import time

fd = os.open(os.path.join(os.environ["DATA"], "journal"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
for number in range(50):
    try:
        os.write(fd, b"entry %06d\n" % number)
        with contextlib.suppress(OSError):
            os.fsync(fd)
    except OSError:
        logging.exception("entry %d is lost", number)
    time.sleep(0.12)
