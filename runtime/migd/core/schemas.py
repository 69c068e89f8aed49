"""JSON Schemas by URI, compiled, and what a payload breaks of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import msgspec

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import JsonObject
from migd.core.schema_bounds import SchemaBounds

_encode = msgspec.json.Encoder().encode
_MAX_MESSAGE = 300
# Compiled. A repetition of Unicode's classes takes the most: ^\p{L}{1,64}$ has over one MiB.
_PATTERN_BYTES = 4 * 1024 * 1024


class PayloadSchema:
    """A compiled JSON Schema.

    Nothing is ever fetched for a `$ref` that leaves the document, and patterns run on an engine with
    linear time, so that neither a schema nor a payload can be used against the gateway.
    Raises MigFault MIG_INVALID_REQUEST when the schema itself is not valid, or beyond `bounds`; one without
    any is the operator's own, and bounded when it is registered.
    """

    __slots__ = ("_validator", "document", "is_valid")

    def __init__(self, document: JsonObject, bounds: SchemaBounds | None = None) -> None:
        self.document = document
        if bounds is not None:
            bounds.check_size(document)
        try:
            self._validator: Any = jsonschema_rs.validator_for(
                document,
                offline=True,
                validate_formats=True,
                pattern_options=jsonschema_rs.RegexOptions(
                    size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES
                ),
            )
        except (ValueError, TypeError, jsonschema_rs.ReferencingError) as error:
            reason = str(error).splitlines()[0][:_MAX_MESSAGE]
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, f"not a usable JSON Schema: {reason}") from error
        if bounds is not None:
            bounds.check_work(document)
        self.is_valid = self._validator.is_valid

    def is_of(self, document: JsonObject) -> bool:
        """Whether it says the same, as JSON has it: to Python, 1 and true are equal."""
        return _encode(self.document) == _encode(document)

    def violations(self, payload: JsonObject, limit: int) -> list[JsonObject]:
        """What the payload breaks: `{"pointer", "message", "keyword"}` each, at most `limit` of them."""
        found: list[JsonObject] = []
        for error in self._validator.iter_errors(payload):
            if len(found) == limit:
                break
            found.append(
                {
                    "pointer": json_pointer(error.instance_path),
                    "message": error.message[:_MAX_MESSAGE],
                    "keyword": error.kind.name,
                }
            )
        return found


def json_pointer(path: list[str | int]) -> str:
    """RFC 6901; the whole document is the empty string."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


class SchemaCatalog:
    """Schemas by URI. A later registration under the same URI replaces the earlier one."""

    def __init__(
        self, limit: int, bounds: SchemaBounds, compiled: Mapping[str, PayloadSchema] | None = None
    ) -> None:
        self._limit = limit
        self._bounds = bounds
        self._compiled = compiled or {}
        self._by_uri: dict[str, PayloadSchema] = {}

    def emptied(self, bounds: SchemaBounds) -> SchemaCatalog:
        """One without schemas, under these bounds. A document that is registered there under the URI that it
        has here is neither compiled nor measured again, until `settle`.
        """
        return SchemaCatalog(self._limit, bounds, self._by_uri)

    def settle(self) -> None:
        """All is registered: the catalog that this one was made from can be forgotten."""
        self._compiled = {}

    def register(self, uri: str, document: JsonObject) -> PayloadSchema:
        """Raises MigFault MIG_INVALID_REQUEST for a bad schema, MIG_RATE_LIMITED when there are too many."""
        if uri not in self._by_uri and len(self._by_uri) >= self._limit:
            raise MigFault(
                MigErrorCode.MIG_RATE_LIMITED, f"the gateway holds its limit of {self._limit} schemas"
            )
        compiled = self._compiled.get(uri)
        if compiled is None or not compiled.is_of(document):
            compiled = PayloadSchema(document, self._bounds)
        self._by_uri[uri] = compiled
        return compiled

    def find(self, uri: str | None) -> PayloadSchema | None:
        return self._by_uri.get(uri) if uri else None
