# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""JSON text to messages and back, with every refusal a MIG_INVALID_REQUEST that says what and where.

Decoders are made once per message type. What they accept is what the schemas say: the right types, bounds
and patterns, no NaN, no Infinity, no lone surrogates, UTF-8 only. Nesting is limited to MAX_DEPTH levels,
so that whatever was accepted can be encoded again from any depth of the stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode

MAX_DEPTH: Final = 128
"""How many objects and arrays may lie inside each other."""

M = TypeVar("M", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_AT = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_END_OF_TEXT = re.compile(r"\\Z(?=['\"]$)")
_PYTHON_NAME = re.compile(r"`(\w+)`")
_JSON_NAMES: Final = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "datetime": "an RFC 3339 date-time",
}
_NOT_STRUCTURE = bytes(sorted(set(range(256)) - set(b'{}[]"')))
_ALL_ARRAYS = bytes.maketrans(b"{}", b"[]")
_STRING = re.compile(rb'"[^"]*"')


def encode(message: object) -> bytes:
    """The JSON text of a message. NaN and infinities become null; text that UTF-8 cannot carry (a lone
    surrogate) becomes U+FFFD.
    """
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        return _encoder.encode(_encodable(msgspec.to_builtins(message)))


def decode(message: type[M], body: bytes) -> M:
    """The message in `body`. Raises MigFault MIG_INVALID_REQUEST whatever is wrong with it."""
    decoded: M = decoder(message)(body)
    return decoded


def decode_or_default(message: type[M], body: bytes) -> M:
    """As `decode`, where an empty body means {}."""
    return decode(message, body or b"{}")


def from_builtins(message: type[M], value: Mapping[str, Any]) -> M:
    """The message with these JSON values, checked exactly as `decode` checks text."""
    try:
        return msgspec.convert(value, message)
    except msgspec.ValidationError as error:
        raise _invalid(message, error) from None


@cache
def decoder(message: type[M]) -> Callable[[bytes], M]:
    """`decode` for one type, for callers that decode a lot of it."""
    parse = msgspec.json.Decoder(message).decode

    def decode_message(body: bytes) -> M:
        if len(body) > 2 * MAX_DEPTH and body.count(b"{") + body.count(b"[") > MAX_DEPTH:
            _check_depth(message, body)
        try:
            return parse(body)
        except msgspec.ValidationError as error:
            raise _invalid(message, error) from None
        except (ValueError, RecursionError) as error:
            raise _not_json(message, body, error) from None

    return decode_message


def _invalid(message: type[msgspec.Struct], error: msgspec.ValidationError) -> MigFault:
    at = _AT.search(str(error))
    pointer = _pointer(at.group(1)) if at else ""
    why = reason(error)
    where = f" at {pointer}" if pointer else ""
    return refusal(f"{message.__name__} is not valid: {why}{where}", pointer, why)


def reason(error: msgspec.ValidationError) -> str:
    """What a validation error says, in the words of JSON and without the place."""
    text = _AT.sub("", str(error))
    if not text.startswith("Expected"):
        return text[0].lower() + text[1:]
    terms = _PYTHON_NAME.sub(lambda found: _JSON_NAMES.get(found.group(1), found.group(1)), text)
    # A pattern is shown as the schema has it, not as the repr() of Python's form of it.
    shown = _END_OF_TEXT.sub("$", terms.replace("\\\\", "\\"))
    return shown.replace("Expected", "expected", 1)


def _too_deep(message: type[msgspec.Struct]) -> MigFault:
    why = f"nested deeper than {MAX_DEPTH} levels"
    return refusal(f"{message.__name__} is {why}", "", why)


def _not_json(message: type[msgspec.Struct], body: bytes, error: Exception) -> MigFault:
    if isinstance(error, RecursionError):
        return _too_deep(message)
    try:
        body.decode()
    except UnicodeDecodeError as flaw:
        why = f"not UTF-8 at byte {flaw.start}"
    else:
        why = (
            str(error)
            .removeprefix("JSON is malformed: ")
            .replace("Input data was truncated", "it ends too early")
        )
    return refusal(f"{message.__name__} is not JSON: {why}", "", why)


def refusal(message: str, pointer: str, why: str) -> MigFault:
    """A MIG_INVALID_REQUEST with one violation. `pointer` is a JSON Pointer (RFC 6901), "" for the whole
    message.
    """
    violations = [{"pointer": pointer, "message": why}]
    return MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, details={"violations": violations})


def _pointer(path: str) -> str:
    """RFC 6901 for a path of msgspec's, as far as it is known: the keys of a map are "[...]" there."""
    steps: list[str] = []
    for name, index in _STEP.findall(path):
        if index == "...":
            break
        steps.append(name or index)
    return "".join(f"/{step}" for step in steps)


def _check_depth(message: type[msgspec.Struct], body: bytes) -> None:
    """Raises MigFault if brackets nest deeper than MAX_DEPTH; every step runs at the speed of C, whatever
    the input.
    """
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = _STRING.sub(b"", unescaped.translate(_ALL_ARRAYS, _NOT_STRUCTURE))
    for _ in range(MAX_DEPTH):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return  # flat enough, or not balanced: then the decoder says so
        brackets = outer
    if brackets:
        raise _too_deep(message)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
