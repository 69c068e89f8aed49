"""@capability: what it reads from a function, and what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from migd.capability import Final, Work, capability


class Question(msgspec.Struct):
    """What to ask."""

    text: Annotated[str, msgspec.Meta(description="The words.", min_length=1)]
    parts: list[Question] = []


class Answer(msgspec.Struct):
    text: str


@dataclass
class Point:
    x: int
    y: int = 0


class Options(TypedDict, total=False):
    deep: bool


class Model:
    """Stands for anything a resource function can make."""


def load_model() -> Model:
    return Model()


async def returns(question: Question) -> Answer:
    return Answer(question.text)


async def yields(question: Question) -> AsyncIterator[Answer]:
    yield Answer(question.text)


async def takes_items(items: AsyncIterator[Question]) -> Answer:
    return Answer(" ".join([item.text async for item in items]))


async def takes_and_yields(items: AsyncIterator[Question]) -> AsyncIterator[Answer]:
    async for item in items:
        yield Answer(item.text)


def blocks(question: Question) -> Answer:
    return Answer(question.text)


def blocks_and_yields(question: Question) -> Iterator[Answer]:
    yield Answer(question.text)


@pytest.mark.parametrize(
    ("function", "mode"),
    [
        (returns, "unary"),
        (blocks, "unary"),
        (yields, "server_stream"),
        (blocks_and_yields, "server_stream"),
        (takes_items, "client_stream"),
        (takes_and_yields, "bidi_stream"),
    ],
)
def test_the_mode_comes_from_the_shape_of_the_function(function: Callable[..., Any], mode: str) -> None:
    declared = capability(id="test.shape")(function)
    assert [found.value for found in declared.descriptor.modes] == [mode]


def test_a_stream_companion_adds_its_mode() -> None:
    declared = capability(id="test.both")(returns)
    assert declared.stream(yields) is yields
    assert [mode.value for mode in declared.descriptor.modes] == ["unary", "server_stream"]


def test_the_descriptor_says_what_the_decorator_says() -> None:
    declared = capability(
        id="text.words.count",
        version="2.1.0",
        scopes=["a", "b"],
        event_topics=["text.counted"],
        max_payload_bytes=77,
    )(returns)
    assert msgspec.to_builtins(declared.descriptor) == {
        "id": "text.words.count",
        "version": "2.1.0",
        "modes": ["unary"],
        "input_schema_uri": "schema://text/words/count-input/v2",
        "output_schema_uri": "schema://text/words/count-output/v2",
        "event_topics": ["text.counted"],
        "auth_scopes": ["a", "b"],
        "qos": {
            "max_payload_bytes": 77,
            "supports_replay": True,
            "delivery_semantics": "at_least_once",
            "supports_ordering": True,
        },
    }


async def test_a_declared_function_is_still_a_function() -> None:
    assert await capability(id="test.call")(returns)(Question("hi")) == Answer("hi")


def test_a_schema_has_its_type_at_the_root_even_when_it_refers_to_itself() -> None:
    schema = capability(id="test.schema")(returns).input_schema
    assert schema["type"] == "object"
    assert schema["required"] == ["text"]
    assert schema["properties"]["text"] == {"description": "The words.", "type": "string", "minLength": 1}
    assert schema["properties"]["parts"]["items"] == {"$ref": "#/$defs/Question"}
    assert schema["$defs"]["Question"]["type"] == "object"


def test_dataclasses_typed_dicts_and_dicts_have_schemas_too() -> None:
    async def from_point(point: Point) -> Options:
        return {"deep": point.x > point.y}

    async def from_anything(anything: dict[str, Any]) -> dict[str, int]:
        return {"keys": len(anything)}

    point, anything = capability(id="test.point")(from_point), capability(id="test.any")(from_anything)
    assert point.input_schema["required"] == ["x"]
    assert point.output_schema["properties"] == {"deep": {"type": "boolean"}}
    assert anything.input_schema == {"type": "object"}
    assert anything.output_schema == {"type": "object", "additionalProperties": {"type": "integer"}}


def test_a_function_without_a_payload_takes_any_object() -> None:
    async def status() -> Answer:
        return Answer("up")

    assert capability(id="test.status")(status).input_schema == {"type": "object"}


def test_the_description_is_given_or_the_docstring_or_the_types() -> None:
    async def documented(question: Question) -> Answer:
        """Answer a question
        at once.

        More about it.
        """
        return Answer(question.text)

    def described(**stated: Any) -> object:
        return capability(id="test.text", **stated)(documented).input_schema["description"]

    assert described(description="Ask me.") == "Ask me."
    assert described() == "Answer a question at once."
    assert capability(id="test.text")(returns).input_schema["description"] == "What to ask."


def test_a_streams_output_is_what_its_last_item_carries() -> None:
    async def counted(question: Question) -> AsyncIterator[Answer | Final[Point]]:
        yield Answer(question.text)
        yield Final(Point(1))

    assert capability(id="test.final")(counted).output_schema["title"] == "Point"
    assert capability(id="test.items")(yields).output_schema["title"] == "Answer"


def test_work_and_the_resource_are_found_by_their_types_in_any_order() -> None:
    async def everything(model: Model, work: Work, question: Question) -> Answer:
        return Answer(f"{question.text} {work.tenant_id} {model}")

    declared = capability(id="test.all", resource=load_model)(everything)
    assert declared.input_schema["title"] == "Question"


async def no_return_annotation(question: Question):  # type: ignore[no-untyped-def]
    return question


async def no_parameter_annotation(question) -> Answer:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return Answer(question)


async def text_in(text: str) -> Answer:
    return Answer(text)


async def text_out(question: Question) -> str:
    return question.text


async def two_payloads(one: Question, two: Point) -> Answer:
    return Answer(f"{one}{two}")


async def variable(*questions: Question) -> Answer:
    return Answer(str(questions))


async def unknown_type(question: Undefined) -> Answer:  # type: ignore[name-defined]  # noqa: F821
    return Answer(str(question))


async def bare_iterator(question: Question) -> AsyncIterator:  # type: ignore[type-arg]
    yield Answer(question.text)


def blocking_with_items(items: AsyncIterator[Question]) -> Answer:
    return Answer(str(items))


async def needs_model(question: Question, model: Model) -> Answer:
    return Answer(f"{question}{model}")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_return_annotation, "no_return_annotation needs a return annotation"),
        (no_parameter_annotation, "parameter 'question' needs an annotation"),
        (text_in, "str is not a JSON object"),
        (text_out, "str is not a JSON object"),
        (two_payloads, "2 parameters would be given the payload"),
        (variable, r"\*questions: .* is not possible here"),
        (unknown_type, "'Undefined', which is not defined"),
        (bare_iterator, "write what the iterator gives"),
        (blocking_with_items, "must be `async def`"),
        (needs_model, "2 parameters would be given the payload"),
        (Model(), "is not a function"),
    ],
)
def test_a_function_that_can_not_be_a_capability_is_refused_where_it_stands(
    function: Callable[..., Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        capability(id="test.refused")(function)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"id": "no spaces"}, '"no spaces" is not a capability id'),
        ({"id": "dots..twice"}, "is not a capability id"),
        ({"id": "x" * 256}, "is not a capability id"),
        ({"id": "a.b", "version": "1"}, '"1" is not a version such as 1.0.0'),
        ({"id": "a.b", "event_topics": ["single"]}, '"single" is not a topic'),
        ({"id": "a.b", "threads": 0}, "threads=0"),
        ({"id": "a.b", "max_payload_bytes": -1}, "max_payload_bytes"),
    ],
)
def test_a_value_that_the_protocol_has_no_room_for_is_refused(stated: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        capability(**stated)(returns)


def test_a_companion_that_does_not_fit_is_refused() -> None:
    async def other_payload(point: Point) -> AsyncIterator[Answer]:
        yield Answer(str(point))

    with pytest.raises(TypeError, match="does not yield"):
        capability(id="test.one")(returns).stream(blocks)
    with pytest.raises(TypeError, match="takes another payload"):
        capability(id="test.two")(returns).stream(other_payload)
    twice = capability(id="test.three")(returns)
    twice.stream(yields)
    with pytest.raises(TypeError, match="streams already"):
        twice.stream(yields)
    with pytest.raises(TypeError, match="streams already"):
        capability(id="test.four")(yields).stream(yields)


def test_a_resource_needs_to_say_what_it_makes() -> None:
    def untyped():  # type: ignore[no-untyped-def]
        return Model()

    with pytest.raises(TypeError, match=r"resource .*untyped needs a return annotation"):
        capability(id="test.resource", resource=untyped)(returns)
