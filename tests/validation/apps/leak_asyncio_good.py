# SPDX-License-Identifier: Apache-2.0
"""The same streams and their registry, both put away in `finally`."""
import asyncio
import logging
import os

from aiohttp import web

streams = {}


async def ping(request):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PEER_PORT"]))
    sock = writer.get_extra_info("socket").dup()
    streams[id(sock)] = sock
    try:
        writer.write(b"GET /json HTTP/1.0\r\n\r\n")
        return web.Response(body=(await asyncio.wait_for(reader.read(4096), 2))[:12])
    except OSError as exc:
        logging.warning("ping failed: %r", exc)
        return web.json_response({"error": "down"}, status=503, headers={"Retry-After": "1"})
    finally:
        writer.close()
        streams.pop(id(sock)).close()


app = web.Application()
app.add_routes([web.get("/ping", ping)])
if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
