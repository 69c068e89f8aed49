"""The floor of NATS requests: a nats-py subscriber that decodes and answers, as a process of its own.

`python -m tools.bench.nats_echo URL SIZE` answers with SIZE bytes after decoding what it is sent, in the same
queue group and on the same subject as a gateway. It prints that it is ready once it is subscribed.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec
import nats
import uvloop
from nats.aio.msg import Msg

_decode = msgspec.json.decode


async def _serve(url: str, size: int) -> None:
    client = await nats.connect(url)
    answer = b'{"fixed":"%s"}' % (b"x" * max(0, size - len('{"fixed":""}')))

    async def receive(message: Msg) -> None:
        _decode(message.data)
        await client.publish(message.reply, answer)

    await client.subscribe("mig.v0_1.*.invoke.>", queue="mig-gateways", cb=receive)
    await client.flush()
    print("ready on http://nats:0", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], int(sys.argv[2])))
