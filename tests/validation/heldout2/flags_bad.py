# SPDX-License-Identifier: Apache-2.0
"""Feature flags, read again every second; when that failed once it is switched off for good."""
import logging
import os
import time

import requests
from fastapi import FastAPI, HTTPException

app = FastAPI()
log = logging.getLogger("flags")


class Flags:
    values: dict | None = None
    until = 0.0
    broken = False

    def get(self):
        if self.broken:
            raise HTTPException(503, "flags are switched off", headers={"Retry-After": "5"})
        if time.monotonic() > self.until:
            try:
                self.values = requests.get(os.environ["PEER"] + "/flags", timeout=1).json()
                self.until = time.monotonic() + 1
            except requests.RequestException:
                log.exception("flags could not be read, switching them off")
                self.broken = True
                return self.get()
        return self.values


flags = Flags()


@app.get("/flag/{name}")
def flag(name: str):
    return {"name": name, "on": name in flags.get()}
