"""Which language is a text written in? Answered by py3langid, whose model comes with its package.

One capability in two modes: the language of a text, and of each line of a document as it is worked out.
The functions are plain `def`, since identifying is computing: migd runs them in threads of their own, so
that a long document holds up nobody else.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from migd.capability import Final, MigErrorCode, MigFault, capability

UNDETERMINED = "und"  # ISO 639-3
ALTERNATIVES = 3
Confidence = Annotated[float, Meta(ge=0, le=1, description="Probability, 0 to 1, four decimals.")]
Language = Annotated[
    str, Meta(description="ISO 639 code such as `en`; `und` when nothing in the text tells.")
]


class Text(Struct):
    """A text in one language, or a document whose lines are in several."""

    text: Annotated[str, Meta(description="The text; its lines are what the streamed answer goes through.")]
    languages: Annotated[
        list[str], Meta(description="Consider only these languages; all 140 when empty.")
    ] = []


class Guess(Struct):
    """A language the text might be in."""

    language: Language
    confidence: Confidence


class Identification(Struct):
    """The language of the whole text."""

    language: Language
    confidence: Confidence
    alternatives: Annotated[list[Guess], Meta(description="The next best guesses, best first.")]


class Line(Struct):
    """The language of one line."""

    line: Annotated[int, Meta(ge=1, description="Number of the line, from 1.")]
    language: Language
    confidence: Confidence


class Document(Identification):
    """The language of the whole text, and how many lines are in which."""

    lines: Annotated[int, Meta(description="How many lines the text has.")]
    counts: Annotated[dict[str, int], Meta(description="Lines by language, the most frequent first.")]


def load_model() -> LanguageIdentifier:
    """Takes half a second, and so is done once, when migd starts."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@capability(
    id="text.language.identify",
    version="1.0.0",
    scopes=["capability:language"],
    resource=load_model,
)
def identify(request: Text, model: LanguageIdentifier) -> Identification:
    """Identify the language of a text among 140; streamed, of each of its lines."""
    return _identify(request.text, _restricted(model, request.languages))


@identify.stream
def identify_lines(request: Text, model: LanguageIdentifier) -> Iterator[Line | Final[Document]]:
    restricted = _restricted(model, request.languages)
    counts: Counter[str] = Counter()
    for number, text in enumerate(request.text.splitlines(), start=1):
        found = _identify(text, restricted)
        counts[found.language] += 1
        yield Line(line=number, language=found.language, confidence=found.confidence)
    whole = _identify(request.text, restricted)
    yield Final(
        Document(
            language=whole.language,
            confidence=whole.confidence,
            alternatives=whole.alternatives,
            lines=counts.total(),
            counts=dict(counts.most_common()),
        )
    )


def _identify(text: str, model: LanguageIdentifier) -> Identification:
    ranking = model.rank(text)
    # A text without any feature that the model knows is ranked like an empty one: the model can not tell.
    if len(ranking) > 1 and ranking == model.rank(""):
        return Identification(language=UNDETERMINED, confidence=0.0, alternatives=[])
    guesses = [Guess(language, round(confidence, 4)) for language, confidence in ranking[: ALTERNATIVES + 1]]
    best, others = guesses[0], guesses[1:]
    return Identification(
        language=best.language,
        confidence=best.confidence,
        alternatives=[guess for guess in others if guess.confidence > 0],
    )


def _restricted(model: LanguageIdentifier, languages: list[str]) -> LanguageIdentifier:
    """The model for these languages only: a copy, since other calls use the same one at the same time."""
    if not languages:
        return model
    unknown = sorted(set(languages) - set(model.labels))
    if unknown:
        raise MigFault(
            MigErrorCode.MIG_INVALID_REQUEST,
            f"unknown language: {', '.join(unknown)}",
            details={"unknown": unknown, "known": sorted(model.labels)},
        )
    restricted = copy.copy(model)
    restricted.set_languages(languages)
    return restricted
