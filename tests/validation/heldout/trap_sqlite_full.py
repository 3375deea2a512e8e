# SPDX-License-Identifier: Apache-2.0
"""Rows in sqlite: a full disk undoes the transaction, and the job says so. In place, and never torn."""
import logging
import os
import sqlite3
import time

db = sqlite3.connect(os.path.join(os.environ["DATA"], "rows.db"))
db.execute("create table if not exists rows (id integer primary key, text text)")
for number in range(55):
    try:
        with db:
            db.execute("insert into rows (text) values (?)", ("x" * 3000,))
    except sqlite3.OperationalError as exc:
        logging.warning("row %d is not kept: %r", number, exc)
    time.sleep(0.15)
print(db.execute("pragma integrity_check").fetchone()[0])
