"""The subjects that a gateway listens on, and how each is asked.

Events are read from NATS itself: who may subscribe there is for NATS to say, and SECURITY.md tells how.
"""

from __future__ import annotations

import json

import aiohttp
from nats.aio.client import Client

from mig_protocol import subjects
from mig_protocol.nats_service import SERVED
from migd.bindings.nats.mirror_messages import ROOT
from security.expectation import BY_ID, Credential, Place, place_of
from security.matrix import Naming, Outcome, namings
from security.requests import PATH_VALUES, message
from support.nats_gateway import Frames

# What gateways say to each other, and what NATS itself asks of them.
_NO_CALLERS = (f"{ROOT}.", "$SRV.", "_INBOX.")
MONITORED = "http: '127.0.0.1:-1'"


def served() -> list[tuple[Place, list[Naming]]]:
    """Every operation with a subject; a stream is asked for on the subject of INVOKE."""
    operations = [*(row.operation for row in SERVED), "STREAM"]
    return [(place_of(BY_ID[name]), namings("body", "header", always="subject")) for name in operations]


async def unexpected_subjects(monitor: str) -> set[str]:
    """What the nats-server knows to be listened to by somebody, for callers, and SERVED does not have."""
    async with aiohttp.ClientSession(monitor) as http, http.get("/subsz?subs=1&limit=1000") as response:
        listened = {found["subject"] for found in (await response.json())["subscriptions_list"]}
    ours = {subject for subject in listened if not subject.startswith((*_NO_CALLERS, "$SYS."))}
    return ours ^ {row.subject for row in SERVED}


async def ask_subject(client: Client, place: Place, credential: Credential, naming: Naming) -> Outcome:
    if place.name == "STREAM":
        return await _stream(client, credential, naming)
    method = next(row.method for row in SERVED if row.operation == place.name)
    values = [PATH_VALUES[name] for name in BY_ID[place.name].path_fields]
    build = subjects.events if method == "publish" else getattr(subjects, method)
    return await _asked(client, build(naming["subject"], *values), place.name, credential, naming)


async def _stream(client: Client, credential: Credential, naming: Naming) -> Outcome:
    tenant, stream_id = naming["subject"], client.new_inbox().rpartition(".")[2]
    frames = Frames(await client.subscribe(subjects.stream(tenant, stream_id)))
    subject = subjects.invoke(tenant, PATH_VALUES["capability"])
    begun = await _asked(client, subject, "STREAM", credential, naming, stream_id=stream_id)
    if begun.code:
        return begun
    received = await frames.rest()
    refused = received[-1].get("error")
    return Outcome(refused["code"] if refused else "", json.dumps(received).encode())


async def _asked(
    client: Client, subject: str, operation: str, credential: Credential, naming: Naming, **headers: str
) -> Outcome:
    body = message(operation, naming.get("body"))
    if operation == "STREAM":
        body = {**message("INVOKE", naming.get("body")), "stream_preference": "server_stream"}
    if credential.value is not None:
        headers["Authorization"] = credential.value
    if "header" in naming:
        headers["tenant_id"] = naming["header"]
    answer = await client.request(subject, json.dumps(body).encode(), timeout=20, headers=headers or None)
    error = json.loads(answer.data).get("error")
    return Outcome(error["code"] if error else "", answer.data)
