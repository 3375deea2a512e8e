# SPDX-License-Identifier: Apache-2.0
"""Looks for its settings where they might be, as programs do; none of these files has to exist."""
import configparser
import os
import ssl
from pathlib import Path

from flask import Flask

settings = configparser.ConfigParser()
settings.read([f"{place}/probing.ini" for place in ("/etc", "/usr/local/etc", os.environ["DATA"], os.path.expanduser("~"))])
try:
    import yaml_that_is_not_there  # noqa: F401
except ImportError:
    pass
for certificate in ("/etc/ssl/nowhere.pem", ssl.get_default_verify_paths().openssl_cafile):
    if os.path.exists(certificate):
        break
app = Flask(__name__)


@app.get("/setting/<name>")
def setting(name):
    path = Path(os.environ["DATA"], f"{name}.override")
    try:
        value = path.read_text()
    except FileNotFoundError:
        value = settings.get("probing", name, fallback="default")
    return {"name": name, "value": value}


app.run(port=int(os.environ["PORT"]))
