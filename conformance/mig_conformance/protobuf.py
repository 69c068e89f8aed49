"""Do two independent protobuf stacks read the golden bytes as the message that the JSON says?

The first is Google's with the converters of `mig_protocol`; the second betterproto2's, which shares nothing
with it but the .proto file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

from mig_conformance.codecs import message_type
from mig_conformance.vectors import Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_protocol import codec, convert
from mig_protocol.betterproto.mig import v0_1 as second
from mig_protocol.errors import MigFault

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z][a-z])")


def judge_protobuf(vectors: Vectors) -> list[Verdict]:
    """One verdict for each valid row that has a protobuf form."""
    return [
        Verdict(vectors.message, row.name, tuple(_flaws(vectors.message, row, row.protobuf)))
        for row in vectors.valid
        if row.protobuf is not None
    ]


def _flaws(message: str, row: Valid, wire: bytes) -> Iterator[str]:
    from_pb, to_pb = _converters(message)
    first = get_type_hints(from_pb)["message"]
    expected = codec.decode(message_type(message), row.body)
    golden = first.FromString(wire)
    relayed = bytes(_second(first.DESCRIPTOR.name).parse(wire))
    for stack, read in (("the first stack", golden), ("the second stack", first.FromString(relayed))):
        try:
            if from_pb(read) != expected:
                yield f"{stack} reads {from_pb(read)}, the JSON says {expected}"
        except MigFault as fault:
            yield f"{stack} reads what is refused: {fault.message}"
    if to_pb(expected) != golden:
        yield "the first stack writes another message than the golden one"
    written = to_pb(expected).SerializeToString()
    if _second(first.DESCRIPTOR.name).parse(written) != _second(first.DESCRIPTOR.name).parse(wire):
        yield "the second stack reads another message in what the first one writes"


def _converters(message: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    name = _CAPITAL.sub("_", message.replace("QoS", "Qos")).lower()
    return getattr(convert, f"{name}_from_pb"), getattr(convert, f"{name}_to_pb")


def _second(name: str) -> Any:
    return getattr(second, name)
