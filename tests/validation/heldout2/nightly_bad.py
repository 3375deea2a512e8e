# SPDX-License-Identifier: Apache-2.0
"""Copies the items of one system to another, once a night."""
import os

import requests

items = requests.get(os.environ["PEER"] + "/items").json()
for item in items:
    requests.post(os.environ["PEER"] + "/import", json=item).raise_for_status()
print("copied", len(items))
