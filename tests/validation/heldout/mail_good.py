# SPDX-License-Identifier: Apache-2.0
"""Flask that sends a mail for each order, and says so when it cannot."""
import os
import smtplib

from flask import Flask

app = Flask(__name__)


def notify(number):
    with smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"]), timeout=2) as mail:
        mail.sendmail("shop@example.org", ["desk@example.org"], f"Subject: order {number}\r\n\r\nnew\r\n")


@app.post("/order/<number>")
def order(number):
    try:
        notify(number)
    except (OSError, smtplib.SMTPException):
        app.logger.exception("order %s: no mail", number)
        return {"error": "mail_unavailable"}, 503, {"Retry-After": "10"}
    return {"order": number, "mail": "sent"}


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
