"""NATS that brings requests and takes no answers: a server of the test's own, since none does so for long."""

from __future__ import annotations

import asyncio
import socket

from support.running_migd import local_migd
from support.until import until

REQUESTS = 30_000
INFO = b'INFO {"server_id":"test","version":"2.10.0","max_payload":1048576,"headers":true}\r\n'


class OneSided:
    """Lets a gateway in, and then sends requests for as long as the gateway reads them."""

    def __init__(self) -> None:
        self.flooding = asyncio.Event()
        self.reading = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(INFO)
        sid = b""
        # One PING ends the handshake, the next comes after the subscriptions.
        for _ in range(2):
            while not (line := await reader.readline()).startswith(b"PING"):
                sid = line.split()[-1] if b".hello" in line else sid
            writer.write(b"PONG\r\n")
        await self.flooding.wait()
        request = b"MSG mig.v0_1.acme.hello %s inbox 2\r\n{}\r\n" % sid
        flood = asyncio.create_task(self._flood(writer, request))
        await self.reading.wait()
        while line := await reader.readline():
            if line == b"PING\r\n":
                writer.write(b"PONG\r\n")
        flood.cancel()
        writer.close()

    async def _flood(self, writer: asyncio.StreamWriter, request: bytes) -> None:
        for _ in range(REQUESTS // 100):
            writer.write(request * 100)
            await writer.drain()


async def test_answers_that_nats_does_not_take_stop_the_reading_of_requests() -> None:
    fake = OneSided()
    listener = socket.create_server(("127.0.0.1", 0))
    # Little room in the kernel, so that little has to be sent to fill it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    server = await asyncio.start_server(fake.serve, sock=listener)
    port = listener.getsockname()[1]
    async with server, local_migd(MIGD_NATS_URL=f"nats://127.0.0.1:{port}") as migd:
        await until(lambda: migd.gateway.readiness().status == "ok")
        nats = migd.application.nats
        assert nats is not None
        client = nats.link.client
        fake.flooding.set()
        await until(lambda: client.pending_data_size > 4_000_000)
        for _ in range(1000):
            await asyncio.sleep(0)
            assert client.pending_data_size < 6_000_000
        assert (await migd.get("/healthz")).status == 200
        fake.reading.set()
        await until(lambda: client.stats["in_msgs"] == REQUESTS)
