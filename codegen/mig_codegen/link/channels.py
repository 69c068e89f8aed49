"""The channels of the AsyncAPI document as the model holds them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from mig_codegen.link.place import Place, target
from mig_codegen.link.types import schema_title
from mig_codegen.load import SourceFile, Spec
from mig_codegen.model import Channel
from mig_codegen.problem import Problems

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_PROTOCOLS: dict[str, Literal["nats", "websocket"]] = {
    "nats": "nats",
    "ws": "websocket",
    "wss": "websocket",
}


def link_channels(spec: Spec, problems: Problems) -> tuple[Channel, ...]:
    """Every channel with an address of its own, in the order of the file. A reply inbox has none."""
    return tuple(
        _channel(spec, file, place, problems)
        for file in spec.folder("asyncapi")
        for place in Place.root(file).members("channels")
        if place.text("address")
    )


def _channel(spec: Spec, file: SourceFile, place: Place, problems: Problems) -> Channel:
    address = place.text("address")
    declared = {parameter.key for parameter in place.members("parameters")}
    parameters = tuple(_PARAMETER.findall(address))
    if declared != set(parameters):
        what = f"the channel {place.key!r} declares {_list(declared)}, its address has {_list(parameters)}"
        problems.add(place.source, what, "make parameters and address agree")
    return Channel(
        id=place.key,
        address=address,
        protocol=_protocol(spec, place, problems),
        parameters=parameters,
        payloads=_payloads(spec, place.members("messages")),
        sends=_operation_payloads(spec, file, place, "send"),
        receives=_operation_payloads(spec, file, place, "receive"),
        replies=_reply_payloads(spec, file, place),
        queue=_queue(spec, file, place),
        description=place.text("description"),
        source=place.source,
    )


def _protocol(spec: Spec, channel: Place, problems: Problems) -> Literal["nats", "websocket"]:
    servers = [target(spec, server) for server in channel.members("servers")]
    protocols = {server.text("protocol") for server in servers if server}
    if len(protocols) != 1 or not protocols <= _PROTOCOLS.keys():
        what = f"the channel {channel.key!r} is on {_list(protocols)}"
        problems.add(channel.source, what, "give it servers of one protocol: nats, ws or wss")
        return "nats"
    return _PROTOCOLS[protocols.pop()]


def _operations(spec: Spec, file: SourceFile, channel: Place) -> Iterator[Place]:
    for operation in Place.root(file).members("operations"):
        reference = operation.get("channel")
        found = target(spec, reference) if reference else None
        if found is not None and found.path == channel.path:
            yield operation


def _operation_payloads(spec: Spec, file: SourceFile, channel: Place, action: str) -> tuple[str, ...]:
    titles: set[str] = set()
    for operation in _operations(spec, file, channel):
        if operation.text("action") == action:
            # AsyncAPI: an operation that names no messages has all of its channel's.
            named = (
                operation.members("messages") if operation.get("messages") else channel.members("messages")
            )
            titles.update(_payloads(spec, named))
    return tuple(sorted(titles))


def _reply_payloads(spec: Spec, file: SourceFile, channel: Place) -> tuple[str, ...]:
    titles: set[str] = set()
    for operation in _operations(spec, file, channel):
        titles.update(_payloads(spec, operation.members("reply", "messages")))
    return tuple(sorted(titles))


def _queue(spec: Spec, file: SourceFile, channel: Place) -> str:
    received = (one for one in _operations(spec, file, channel) if one.text("action") == "receive")
    bindings = (operation.get("bindings") for operation in received)
    found = (target(spec, one) for one in bindings if one is not None)
    nats = (one.get("nats") for one in found if one is not None)
    return next((one.text("queue") for one in nats if one is not None), "")


def _payloads(spec: Spec, messages: Iterator[Place]) -> tuple[str, ...]:
    titles = (schema_title(spec, _payload(spec, message)) for message in messages)
    return tuple(sorted({title for title in titles if title}))


def _payload(spec: Spec, message: Place) -> Place | None:
    found = target(spec, message)
    return (found.get("payload", "schema") or found.get("payload")) if found else None


def _list(names: set[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names)) or "nothing"
