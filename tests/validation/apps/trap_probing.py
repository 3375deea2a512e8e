# SPDX-License-Identifier: Apache-2.0
"""T5: settings are looked for in places where they need not be, at import and at run time."""
import os

from fastapi import FastAPI

app = FastAPI()
settings = {}
for folder in ("/etc/shop", os.path.expanduser("~/.config/shop"), os.environ["DATA"]):
    try:
        with open(os.path.join(folder, "shop.conf"), encoding="utf-8") as source:
            settings["text"] = source.read()
            break
    except FileNotFoundError:
        continue


@app.get("/motd")
def motd():
    try:
        with open(os.path.join(os.environ["DATA"], "motd"), encoding="utf-8") as source:
            return {"motd": source.read()}
    except FileNotFoundError:
        return {"motd": ""}
