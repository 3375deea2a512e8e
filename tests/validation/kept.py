# SPDX-License-Identifier: Apache-2.0
"""Runs that are done stay done when a long suite is stopped: $VALIDATE_KEPT names a folder, in which each run that was
as labelled has a file. What is called differently, or graded by another mishap, is run anew."""
import hashlib
import json
import os

WHERE = os.environ.get("VALIDATE_KEPT")
FIELDS = ("report", "first", "load", "seconds", "repeated")


def _file(run, programs):
    key = hashlib.sha256(json.dumps([run.title, run.case, run.mutation], sort_keys=True, default=str).encode())
    for path in programs:
        with open(path, "rb") as source:
            key.update(hashlib.sha256(source.read()).digest())
    return os.path.join(WHERE, key.hexdigest()[:32] + ".json")


def recall(run, programs):
    """Fills in a run that was done before; False when it was not."""
    if not WHERE:
        return False
    try:
        with open(_file(run, programs), encoding="utf-8") as source:
            for name, value in json.load(source).items():
                setattr(run, name, value)
    except (OSError, ValueError):
        return False
    return True


def keep(run, programs):
    if not WHERE:
        return
    os.makedirs(WHERE, exist_ok=True)
    path = _file(run, programs)
    with open(path + ".part", "w", encoding="utf-8") as out:
        json.dump({name: getattr(run, name) for name in FIELDS}, out)
    os.replace(path + ".part", path)
