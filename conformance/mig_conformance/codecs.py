"""Do codecs read what is valid, write it back, and refuse what is malformed, for the right reason?

Judged are those of `mig_protocol`; the schemas have to agree with the vectors as well, so that it is known
which side is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from mig_conformance import reference
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_protocol import codec, messages
from mig_protocol.errors import MigFault


def judge_codec(vectors: Vectors) -> list[Verdict]:
    """One verdict for each row. Malformed rows that only the operation refuses have to decode well."""
    verdicts = [Verdict(vectors.message, row.name, tuple(_valid(vectors, row))) for row in vectors.valid]
    for bad in vectors.malformed:
        flaws = _decodes(vectors, bad.body) if bad.by_operation else _malformed(vectors, bad)
        verdicts.append(Verdict(vectors.message, bad.name, tuple(flaws)))
    return verdicts


def message_type(name: str) -> type[msgspec.Struct]:
    """The message type of that name. Raises AttributeError."""
    found: type[msgspec.Struct] = getattr(messages, name)
    return found


def _valid(vectors: Vectors, row: Valid) -> Iterator[str]:
    if not reference.accepts(vectors.message, row.json):
        yield "its own schema refuses it"
    try:
        decoded = codec.decode(message_type(vectors.message), row.body)
    except MigFault as fault:
        yield f"refused: {fault.message}"
        return
    written = codec.encode(decoded)
    yield from reference.differences(vectors.message, row.json, json.loads(written))
    if codec.decode(message_type(vectors.message), written) != decoded:
        yield "read again, it is another message"


def _malformed(vectors: Vectors, row: Malformed) -> Iterator[str]:
    if row.is_json and reference.accepts(vectors.message, row.json):
        yield "its own schema accepts it"
    try:
        codec.decode(message_type(vectors.message), row.body)
    except MigFault as fault:
        if fault.code.value != row.code:
            yield f"refused with {fault.code.value}, not with {row.code}"
        pointers = [one["pointer"] for one in (fault.details or {}).get("violations", [])]
        if row.pointer is not None and pointers != [row.pointer]:
            yield f"the fault is said to be at {pointers}, not at {row.pointer!r}"
    else:
        yield "accepted"


def _decodes(vectors: Vectors, body: bytes) -> Iterator[str]:
    try:
        codec.decode(message_type(vectors.message), body)
    except MigFault as fault:
        yield f"refused by decoding already: {fault.message}"
