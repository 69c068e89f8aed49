"""What rows the registries, requirements, vectors and cases have: keys and types, before any linking."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from mig_codegen.load.parse import SourceFile
from mig_codegen.load.tree import CASES
from mig_codegen.problem import Problem

_WORD = {"type": "string", "minLength": 1}
_BOOL = {"type": "boolean"}
_INT = {"type": "integer"}
_ERROR_STATUS = {"type": "integer", "minimum": 400, "maximum": 599}
_WORDS = {"type": "array", "items": _WORD, "uniqueItems": True}
_NAME = "[a-z0-9]+(-[a-z0-9]+)*"
_WORD_MAP = {"type": "object", "additionalProperties": _WORD}


def _row(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _rows(row: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": row}


_ERROR = _row(
    {
        "code": _WORD,
        "retryable": _BOOL,
        "http": _ERROR_STATUS,
        "grpc": _WORD,
        "jsonrpc": _INT,
        "retry_after": _BOOL,
        "description": _WORD,
    },
    {"http_variants": {"type": "object", "additionalProperties": _ERROR_STATUS}},
)
_OPERATION = _row(
    {
        "id": {"type": "string", "pattern": "^[A-Z][A-Z_]*$"},
        "method": {"type": "string", "pattern": "^[a-z][a-z_]*$"},
        "shape": {"enum": ["unary", "server_stream", "duplex"]},
        "rights": {"enum": ["caller", "admin", "public"]},
        "response": _WORD,
    },
    # rpc, http and nats are asked for by the linker, which can say what to write instead.
    {
        "rpc": _WORD,
        "http": _WORD,
        "nats": _WORD,
        "request": _WORD,
        "query": _WORD,
        "status": {"type": "integer", "minimum": 100, "maximum": 299},
        "path_fields": _WORD_MAP,
    },
)
_JSON_MAPPING = _row(
    {
        "field_names": {"const": "snake_case"},
        "enums": {"const": "short_lower_case"},
        "enum_exceptions": {"type": "object", "additionalProperties": {"const": "verbatim"}},
        "types": {
            "type": "object",
            "additionalProperties": {
                "enum": ["string", "boolean", "integer", "number", "date-time", "object"]
            },
        },
        "directions": {
            "type": "object",
            "additionalProperties": _row({"request": _WORD, "response": _WORD}),
        },
        "json_defaults": {"type": "object", "propertyNames": {"pattern": "^[A-Za-z]+[.][a-z_]+$"}},
        "json_only": _WORD_MAP,
    }
)
_REQUIREMENT = _row(
    {
        "id": {"type": "string", "pattern": "^MIG-[A-Z]+-[0-9]{3}$"},
        "level": {"enum": ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"]},
        "text": _WORD,
        "source": _WORD,
        "profile": _WORD,
        "bindings": {**_WORDS, "minItems": 1},
    },
    # Which of them a row needs is asked for by the linker, which can say what to write instead.
    {
        "checks": {
            "type": "array",
            "items": {"type": "string", "pattern": f"^{_NAME}/{_NAME}$"},
            "minItems": 1,
            "uniqueItems": True,
        },
        "excluded": _WORD,
        "unchecked": {**_WORD_MAP, "minProperties": 1},
    },
)
# What else a case has is the conformance suite's business.
_CASE = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": f"^{_NAME}$"},
        "bindings": {**_WORDS, "minItems": 1},
    },
    "required": ["id", "bindings"],
}
_CASES = {
    "type": "object",
    "properties": {"area": {"type": "string", "pattern": f"^{_NAME}$"}, "cases": _rows(_CASE)},
    "required": ["area", "cases"],
}
_VECTORS = _row(
    {
        "message": _WORD,
        "operation": {"type": ["string", "null"]},
        "valid": {
            "type": "array",
            "items": _row({"name": _WORD, "json": {}}, {"protobuf": {"type": "string"}}),
        },
        "malformed": {
            "type": "array",
            "items": {
                **_row(
                    {"name": _WORD, "code": _WORD},
                    {
                        "json": {},
                        "raw": {"type": "string"},
                        "raw_base64": {"type": "string"},
                        "pointer": {"type": "string"},
                        "stage": {"const": "operation"},
                    },
                ),
                "oneOf": [{"required": ["json"]}, {"required": ["raw"]}, {"required": ["raw_base64"]}],
            },
        },
    }
)

# The parts of AsyncAPI 3.0 that the linker reads; there is no validator of it in Python to ask.
_NAMED = {"type": "object", "additionalProperties": {"type": "object"}}
_ASYNCAPI = {
    "type": "object",
    "properties": {
        "asyncapi": {"type": "string", "pattern": "^3[.]0[.][0-9]+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "servers": _NAMED,
        "channels": _NAMED,
        "operations": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"action": {"enum": ["send", "receive"]}, "channel": {"type": "object"}},
                "required": ["action", "channel"],
            },
        },
    },
    "required": ["asyncapi", "info", "servers", "channels", "operations"],
}

_SHAPES: dict[str, dict[str, Any]] = {
    "spec/registry/errors.yaml": _row({"errors": _rows(_ERROR)}),
    "spec/registry/features.yaml": _row(
        {
            "features": _rows(_row({"id": _WORD, "description": _WORD})),
            "profiles": _rows(_row({"id": _WORD, "requires": _WORDS, "description": _WORD})),
        }
    ),
    "spec/registry/json-mapping.yaml": _JSON_MAPPING,
    "spec/registry/operations.yaml": _row(
        {
            "operations": _rows(_OPERATION),
            "header_carriers": _rows(_row({"field": _WORD}, {"http": _WORD, "grpc": _WORD, "nats": _WORD})),
        }
    ),
    "spec/requirements/": _row({"requirements": _rows(_REQUIREMENT)}),
    "spec/vectors/": _VECTORS,
    f"{CASES}/": _CASES,
    "spec/schema/": {"type": "object"},
    "spec/openapi/": {"type": "object"},
    "spec/asyncapi/": _ASYNCAPI,
}


def shape_problems(file: SourceFile) -> Iterator[Problem]:
    """Every way in which the file's rows are not what a reader of such files expects."""
    for prefix, shape in _SHAPES.items():
        if file.name.startswith(prefix):
            for error in Draft202012Validator(shape).iter_errors(file.value):
                yield _problem(file, error)


def _problem(file: SourceFile, error: ValidationError) -> Problem:
    where = ".".join(str(key) for key in error.absolute_path) or "the document"
    # Some messages repeat the whole value.
    what = textwrap.shorten(f"{where}: {error.message}", 200)
    return Problem(file.at(*error.absolute_path), what, "write the row as the others are")
