"""The `@capability` decorator and what it makes of a function."""

from __future__ import annotations

import inspect
import typing
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, get_args, get_origin

from mig_protocol.messages import CapabilityDescriptor, InvocationMode
from migd.capability.descriptor import DEFAULT_MAX_PAYLOAD_BYTES, describe, qos_profile
from migd.capability.schema import object_schema
from migd.capability.signature import Signature, read_signature
from migd.core.provider import JsonObject

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_THREADS = 4


class CapabilityFunction(Generic[P, R]):
    """A function that states which capability it is. Calling it calls the function.

    `unary` is the signature behind the single answer, `streaming` the one behind the streamed answer;
    one of them may be None.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        id: str,
        version: str,
        scopes: Sequence[str],
        description: str,
        event_topics: Sequence[str],
        max_payload_bytes: int,
        resource: Callable[[], Any] | None,
        threads: int,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads={threads}: at least one is needed")
        self.function = function
        self.resource = resource
        self.threads = threads
        self._resource_type = resource_type(resource) if resource else None
        main = read_signature(function, self._resource_type)
        self.unary: Signature | None = None if main.generator else main
        self.streaming: Signature | None = main if main.generator else None
        self.input_schema: JsonObject = object_schema(main.input_type, description or _summary(function))
        self.output_schema: JsonObject = object_schema(main.output_type)
        self._stated: dict[str, Any] = {
            "id": id,
            "version": version,
            "scopes": tuple(scopes),
            "event_topics": tuple(event_topics),
            "qos": qos_profile(max_payload_bytes),
        }
        self.descriptor: CapabilityDescriptor = self._describe()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<capability {self.descriptor.id} {self.descriptor.version}>"

    def stream(self, function: F) -> F:
        """Decorate the generator that answers the same capability piece by piece.

        It takes the same payload. Its last item should be `Final(answer)`, the answer that the unary
        form gives. Raises TypeError when it is no generator, or takes something else.
        """
        streamed = read_signature(function, self._resource_type)
        if self.unary is None or self.unary.mode is not InvocationMode.unary or self.streaming is not None:
            raise TypeError(f"{self!r} streams already")
        if not streamed.generator:
            raise TypeError(f"{function.__qualname__} does not yield, so it can not stream {self!r}")
        if streamed.input_type != self.unary.input_type:
            raise TypeError(f"{function.__qualname__} takes another payload than {self!r} does")
        object_schema(streamed.output_type)
        self.streaming = streamed
        self.descriptor = self._describe()
        return function

    def _describe(self) -> CapabilityDescriptor:
        signatures = [signature for signature in (self.unary, self.streaming) if signature]
        return describe(modes=[signature.mode for signature in signatures], **self._stated)


def capability(
    *,
    id: str,
    version: str = "1.0.0",
    scopes: Sequence[str] = (),
    description: str = "",
    event_topics: Sequence[str] = (),
    max_payload_bytes: int = DEFAULT_MAX_PAYLOAD_BYTES,
    resource: Callable[[], Any] | None = None,
    threads: int = DEFAULT_THREADS,
) -> Callable[[Callable[P, R]], CapabilityFunction[P, R]]:
    """Make a function a capability that migd can serve.

    id, version: as in its descriptor; the schemas are named after both.
    scopes: in an authenticated gateway the caller needs any one of them; none means no scope is needed.
    description: for readers of the input schema; the first paragraph of the docstring by default.
    event_topics: the topics that the capability publishes to.
    max_payload_bytes: the largest payload, as JSON.
    resource: called once when migd starts, for what every call needs (a model, a connection pool); a
        parameter annotated with its return type receives what it made. `def` runs in a worker thread,
        `async def` on the event loop; an async generator yields it once and cleans up after that.
    threads: how many calls of a plain `def` run at a time; the next ones wait.

    Modes and schemas come from the function, as migd.capability.signature says. Raises TypeError or
    ValueError where it is written, when the function or a value can not be used.
    """

    def declare(function: Callable[P, R]) -> CapabilityFunction[P, R]:
        return CapabilityFunction(
            function,
            id=id,
            version=version,
            scopes=scopes,
            description=description,
            event_topics=event_topics,
            max_payload_bytes=max_payload_bytes,
            resource=resource,
            threads=threads,
        )

    return declare


def resource_type(resource: Callable[[], Any]) -> Any:
    """What a parameter must be annotated with to receive the resource. Raises TypeError without one."""
    made = typing.get_type_hints(resource).get("return")
    if made is None:
        raise TypeError(
            f"resource {resource.__qualname__} needs a return annotation: the type of what it makes"
        )
    if inspect.isasyncgenfunction(resource):
        if get_origin(made) is not AsyncIterator:
            raise TypeError(f"resource {resource.__qualname__} yields, so it returns an AsyncIterator[...]")
        return get_args(made)[0]
    return made


def _summary(function: Callable[..., Any]) -> str:
    """The first paragraph of the docstring, as one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())
