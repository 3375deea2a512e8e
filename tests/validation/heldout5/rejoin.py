# SPDX-License-Identifier: Apache-2.0
"""Listens to a house, and comes back for ever, with longer and longer pauses that vary."""
import asyncio
import logging
import os
import random


class Listener:
    def __init__(self, port):
        self.port, self.pause = port, 1.0

    async def listen(self):
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port), 2)
        try:
            while True:
                writer.write(b"GET /fact HTTP/1.1\r\nHost: peer\r\n\r\n")
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
                size = int(head.lower().split(b"content-length:")[1].split()[0])
                print("heard", len(await asyncio.wait_for(reader.readexactly(size), 2)), flush=True)
                self.pause = 1.0
                await asyncio.sleep(0.3)
        finally:
            writer.close()

    async def run(self):
        while True:
            try:
                await self.listen()
            except (OSError, EOFError, asyncio.TimeoutError) as exc:
                logging.warning("house at port %d: %r", self.port, exc)
            await asyncio.sleep(self.pause * random.uniform(0.7, 1.3))
            self.pause = min(self.pause * 1.7, 6)


asyncio.run(Listener(int(os.environ["PEER_PORT"])).run())
