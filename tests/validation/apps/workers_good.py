# SPDX-License-Identifier: Apache-2.0
"""Workers under gunicorn, which starts another one when one dies."""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return [b"well"]
