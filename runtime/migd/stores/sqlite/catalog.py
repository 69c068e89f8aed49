"""Descriptors and schemas that were registered while running."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from mig_protocol.codec import encode
from mig_protocol.messages import CapabilityDescriptor
from migd.core.provider import JsonObject
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_PUT_CAPABILITY = """INSERT INTO capabilities (id, descriptor) VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET descriptor = excluded.descriptor"""
_PUT_SCHEMA = """INSERT INTO schemas (uri, document) VALUES (?, ?)
    ON CONFLICT (uri) DO UPDATE SET document = excluded.document"""

_descriptor = msgspec.json.Decoder(CapabilityDescriptor).decode
_document = msgspec.json.Decoder(JsonObject).decode


class SqliteCatalog:
    """Read once, at the start of the gateway. How many there may be is the catalog's own bound."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put_capability(self, descriptor: CapabilityDescriptor) -> None:
        await self._writer.submit(partial(_put, _PUT_CAPABILITY, descriptor.id, encode(descriptor)))

    async def put_schema(self, uri: str, schema: JsonObject) -> None:
        await self._writer.submit(partial(_put, _PUT_SCHEMA, uri, encode(schema)))

    async def capabilities(self) -> Sequence[CapabilityDescriptor]:
        return await self._reader.run(_capabilities)

    async def schemas(self) -> Mapping[str, JsonObject]:
        return await self._reader.run(_schemas)


def _put(statement: str, identifier: str, document: bytes, transaction: Transaction) -> None:
    transaction.put(statement, identifier, (identifier, document))


def _capabilities(connection: sqlite3.Connection) -> Sequence[CapabilityDescriptor]:
    return [
        _descriptor(row[0]) for row in connection.execute("SELECT descriptor FROM capabilities ORDER BY id")
    ]


def _schemas(connection: sqlite3.Connection) -> Mapping[str, JsonObject]:
    rows = connection.execute("SELECT uri, document FROM schemas ORDER BY uri")
    return {uri: _document(document) for uri, document in rows}
