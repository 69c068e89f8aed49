"""The language identification of the examples, as migd loads it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import pytest_asyncio

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import ANONYMOUS
from migd.core.catalog import Capability
from migd.core.provider import Final, Provider, Work
from migd.core.schemas import PayloadSchema
from migd.manifest import load_manifest

from .conftest import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

SENTENCES = {
    "de": "Die Würde des Menschen ist unantastbar.",
    "en": "All human beings are born free and equal in dignity and rights.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
    "fi": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "ja": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "nl": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",  # noqa: RUF001
}


@pytest.fixture(scope="module")
def identify() -> Capability:
    manifest = load_manifest(ROOT / "examples" / "migd.yaml", {})
    (found,) = [each for each in manifest.capabilities if each.descriptor.id == "text.language.identify"]
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(identify: Capability) -> AsyncIterator[Provider]:
    """Started once: the model takes half a second."""
    assert identify.provider is not None
    assert identify.provider.health().reason == "not started yet"
    await identify.provider.start()
    yield identify.provider
    await identify.provider.close()


def work(**payload: Any) -> Work:
    return Work(
        capability="text.language.identify",
        tenant_id="acme",
        message_id="m",
        session_id=None,
        traceparent=None,
        payload=payload,
        meta={},
        principal=ANONYMOUS,
        deadline=time.monotonic() + 30,
        deadline_ms=30_000,
        clock=time.monotonic,
    )


async def ask(provider: Provider, **payload: Any) -> dict[str, Any]:
    answer = provider.invoke(work(**payload))
    return answer if isinstance(answer, dict) else await answer


async def test_sentences_are_in_the_languages_they_are_in(provider: Provider) -> None:
    found = {language: (await ask(provider, text=text))["language"] for language, text in SENTENCES.items()}
    assert found == {language: language for language in SENTENCES}


async def test_confidence_is_a_probability_and_the_alternatives_come_after(provider: Provider) -> None:
    answer = await ask(provider, text="Het is vandaag mooi weer")
    scores = [answer["confidence"], *(guess["confidence"] for guess in answer["alternatives"])]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1
    assert answer["alternatives"][0]["language"] == "af"


async def test_only_the_languages_asked_for_are_considered(provider: Provider) -> None:
    answer = await ask(provider, text=SENTENCES["nl"], languages=["de", "fr"])
    assert answer["language"] == "de"
    assert [guess["language"] for guess in answer["alternatives"]] == ["fr"]
    assert answer["confidence"] + answer["alternatives"][0]["confidence"] == pytest.approx(1, abs=0.001)


async def test_restricting_one_call_does_not_touch_another(provider: Provider) -> None:
    restricted = [ask(provider, text=SENTENCES["nl"], languages=["fr", "ru"]) for _ in range(8)]
    free = [ask(provider, text=SENTENCES["nl"]) for _ in range(8)]
    answers = await asyncio.gather(*restricted, *free)
    assert [answer["language"] for answer in answers] == ["fr"] * 8 + ["nl"] * 8


async def test_a_language_that_does_not_exist_is_refused_by_name(provider: Provider) -> None:
    with pytest.raises(MigFault) as refused:
        await ask(provider, text="x", languages=["en", "klingon"])
    assert refused.value.code is MigErrorCode.MIG_INVALID_REQUEST
    assert refused.value.details is not None
    assert refused.value.details["unknown"] == ["klingon"]
    assert "en" in refused.value.details["known"]


@pytest.mark.parametrize("text", ["", "   ", "42", "?!"])
async def test_a_text_that_tells_nothing_is_undetermined(provider: Provider, text: str) -> None:
    assert await ask(provider, text=text) == {"language": "und", "confidence": 0.0, "alternatives": []}


async def test_a_document_is_answered_line_by_line_and_summed_up(provider: Provider) -> None:
    text = "\n".join([SENTENCES["fr"], SENTENCES["nl"], "", SENTENCES["fr"]])
    *lines, last = [item async for item in provider.stream(work(text=text))]
    assert [(line["line"], line["language"]) for line in lines if isinstance(line, dict)] == [
        (1, "fr"),
        (2, "nl"),
        (3, "und"),
        (4, "fr"),
    ]
    assert isinstance(last, Final)
    assert last.payload["lines"] == 4
    assert last.payload["counts"] == {"fr": 2, "nl": 1, "und": 1}
    assert list(last.payload["counts"]) == ["fr", "nl", "und"]


async def test_the_end_of_a_stream_says_what_the_unary_answer_says(
    identify: Capability, provider: Provider
) -> None:
    text = f"{SENTENCES['ru']}\n{SENTENCES['ru']}"
    *_, last = [item async for item in provider.stream(work(text=text))]
    assert isinstance(last, Final)
    answer = await ask(provider, text=text)
    assert last.payload | answer == last.payload
    assert identify.output_schema is not None
    schema = PayloadSchema(identify.output_schema)
    assert schema.is_valid(answer)
    assert schema.is_valid(last.payload)


async def test_a_long_document_can_be_given_up_after_a_line(provider: Provider) -> None:
    text = f"{SENTENCES['en']}\n" * 10_000
    async with aclosing(provider.stream(work(text=text))) as lines:  # type: ignore[type-var]
        assert (await anext(lines))["line"] == 1  # type: ignore[index]
    assert (await ask(provider, text=SENTENCES["de"]))["language"] == "de"
