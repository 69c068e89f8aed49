"""What a caller can observe of one call, and whether several callers observed the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any

from equality.unsayable import BLIND

Observed = Any
_BEFORE, _AFTER = 120, 240


class _Unseen:
    def __repr__(self) -> str:
        return "UNSEEN"


UNSEEN = _Unseen()
"""The transport does not show this; `unsayable.BLIND` has the reason."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """None where the outcome has no such part, UNSEEN where the transport would not show it.

    answer       the response message
    beside       fields of the response that a stream's frame has no place for
    error        the MigError of a refusal or failure
    error_header the header that came with it
    retry_after  whether the caller was told how long to wait
    frames       the frames of a stream, the last one included, in the order in which they came
    events       the events and gaps of a subscription, in order
    """

    answer: Observed = None
    beside: Observed = None
    error: Observed = None
    error_header: Observed = None
    retry_after: Observed = None
    frames: Observed = None
    events: Observed = None


class BindingsDifferError(AssertionError):
    """The same call was observed differently."""


def compare(asked: object, outcomes: Mapping[str, Outcome]) -> None:
    """Raises BindingsDifferError unless all observed the same, in everything that each is able to observe."""
    for name in (each.name for each in fields(Outcome)):
        seen = {lane: getattr(outcome, name) for lane, outcome in outcomes.items()}
        for lane in [lane for lane, value in seen.items() if value is UNSEEN]:
            if name not in BLIND.get(lane, {}):
                raise BindingsDifferError(f"{lane} shows no {name}, and unsayable.BLIND does not say why")
            del seen[lane]
        texts = {lane: canonical(value) for lane, value in seen.items()}
        if len(set(texts.values())) > 1:
            raise BindingsDifferError(f"the bindings differ in `{name}` of\n  {asked}\n{_where(texts)}")


def canonical(value: Observed) -> str:
    """Equal texts for equal JSON values, and only for them."""
    return json.dumps(value, sort_keys=True)


def _where(texts: Mapping[str, str]) -> str:
    """Each text around the first place in which they differ."""
    columns = enumerate(zip_longest(*texts.values()))
    common = next((number for number, column in columns if len(set(column)) > 1), 0)
    start = max(0, common - _BEFORE)
    return "\n".join(f"  {lane:<10}…{text[start : common + _AFTER]}…" for lane, text in texts.items())
