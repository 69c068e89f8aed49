"""What a capability's function takes and gives, read from its annotations.

| function                                  | its payload only | takes an AsyncIterator too |
|-------------------------------------------|------------------|----------------------------|
| `async def` or `def` that returns         | unary            | client_stream              |
| `async def` or `def` that yields          | server_stream    | bidi_stream                |

A plain `def` is blocking code: it runs in a worker thread, and so can not take an AsyncIterator.
"""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args, get_origin

from mig_protocol.messages import InvocationMode
from migd.capability.final import Final
from migd.core.provider import Work

_ASYNC_ITERATORS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
)
_ITERATORS = (
    *_ASYNC_ITERATORS,
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
)
_EMPTY = inspect.Parameter.empty


class Role(Enum):
    """What a parameter is given."""

    payload = "the payload, converted to the annotated type"
    inputs = "an iterator over the input messages"
    work = "the invocation: tenant, deadline, trace"
    resource = "what the resource function made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A function as a capability calls it.

    `input_type` is the type of the payload (the first message), `item_type` that of the inputs after
    it. `output_type` is the type of the answer: what a function returns; for a generator the type
    inside `Final`, or else what it yields.
    """

    function: Callable[..., Any]
    mode: InvocationMode
    blocking: bool
    generator: bool
    roles: tuple[Role, ...]
    input_type: Any
    item_type: Any
    output_type: Any

    def arguments(self, given: dict[Role, Any]) -> list[Any]:
        return [given[role] for role in self.roles]


def read_signature(function: Callable[..., Any], resource_type: Any = None) -> Signature:
    """The signature of a function that is to be a capability.

    `resource_type` is what a parameter has to be annotated with to receive the capability's resource.
    Raises TypeError, with what to do about it, when the function can not be one.
    """
    hints = _hints(function)
    annotations = [(name, hints.get(name, _EMPTY)) for name in _parameters(function)]
    roles = tuple(_role(function, name, kind, resource_type) for name, kind in annotations)
    _refuse_repeats(function, roles)
    types_by_role = dict(zip(roles, (kind for _, kind in annotations), strict=True))
    inputs_type = types_by_role.get(Role.inputs)
    item_type = _first_argument(function, inputs_type) if inputs_type is not None else None
    generator = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
    blocking = not (inspect.isasyncgenfunction(function) or inspect.iscoroutinefunction(function))
    if blocking and item_type is not None:
        raise TypeError(f"{_name(function)} takes an AsyncIterator, so it must be `async def`")
    return Signature(
        function=function,
        mode=_MODES[generator, item_type is not None],
        blocking=blocking,
        generator=generator,
        roles=roles,
        input_type=types_by_role.get(Role.payload, item_type or dict),
        item_type=item_type,
        output_type=_output_type(function, hints, generator),
    )


_MODES = {
    (False, False): InvocationMode.unary,
    (True, False): InvocationMode.server_stream,
    (False, True): InvocationMode.client_stream,
    (True, True): InvocationMode.bidi_stream,
}


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    if not inspect.isfunction(function):
        raise TypeError(f"{function!r} is not a function")
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"{_name(function)}: its annotations name {error.name!r}, which is not defined at that line"
        ) from error


def _parameters(function: Callable[..., Any]) -> list[str]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{_name(function)}: {parameter} is not possible here, only plain parameters are")
    return list(inspect.signature(function).parameters)


def _role(function: Callable[..., Any], name: str, annotation: Any, resource_type: Any) -> Role:
    if annotation is _EMPTY:
        raise TypeError(f"{_name(function)}: parameter {name!r} needs an annotation")
    if annotation is Work:
        return Role.work
    if resource_type is not None and annotation == resource_type:
        return Role.resource
    if get_origin(annotation) in _ASYNC_ITERATORS or annotation in _ASYNC_ITERATORS:
        return Role.inputs
    return Role.payload


def _refuse_repeats(function: Callable[..., Any], roles: tuple[Role, ...]) -> None:
    for role in roles:
        if roles.count(role) > 1:
            raise TypeError(
                f"{_name(function)}: {roles.count(role)} parameters would be given {role.value}; "
                "a capability takes one payload, and Work, an AsyncIterator or its resource's type beside it"
            )


def _output_type(function: Callable[..., Any], hints: dict[str, Any], generator: bool) -> Any:
    returned = hints.get("return", _EMPTY)
    if returned is _EMPTY:
        raise TypeError(f"{_name(function)} needs a return annotation")
    if not generator:
        return returned
    yielded = _first_argument(function, returned)
    parts = get_args(yielded) if get_origin(yielded) in (typing.Union, types.UnionType) else (yielded,)
    for part in parts:
        if part is Final or get_origin(part) is Final:
            return (get_args(part) or (dict,))[0]
    return yielded


def _first_argument(function: Callable[..., Any], iterator: Any) -> Any:
    arguments = get_args(iterator)
    if get_origin(iterator) not in _ITERATORS or not arguments:
        raise TypeError(f"{_name(function)}: write what the iterator gives, as in AsyncIterator[Line]")
    return arguments[0]


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
