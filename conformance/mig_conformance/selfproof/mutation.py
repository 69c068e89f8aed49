"""What becomes of a message on its way: the pure part, without a socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from mig_conformance.checks.matching import differences
from mig_conformance.drivers.port import BindingName
from mig_conformance.selfproof.answers import Means
from mig_conformance.selfproof.edits import EDITS, FLOW
from mig_conformance.selfproof.mutant import At, Change
from mig_conformance.selfproof.passage import Passage
from mig_conformance.selfproof.pointers import found, put

_ABSENT = object()


class Mutation:
    """The changes of one mutant during one run of a check. Without changes everything passes as it is."""

    def __init__(self, changes: Iterable[Change], bindings: Collection[BindingName], means: Means) -> None:
        self._changes = tuple(changes)
        self._bindings = bindings
        self._means = means
        self._matched: Counter[tuple[int, str]] = Counter()
        self._held: dict[tuple[str, frozenset[At]], list[Passage]] = {}
        self.hits = 0
        """How many messages were changed so far."""
        self.faults: list[str] = []
        """Edits that could not be made: faults of the mutant."""

    def through(self, passage: Passage) -> list[Passage]:
        """What is to be sent in its place, in this order; nothing when it is dropped or held back."""
        self._restore(passage)
        flow = {name for change in self._due(passage) for name in self._edit(change, passage)}
        kept = self._held.setdefault((passage.scope, passage.at), [])
        if "drop" in flow:
            return []
        if "swap" in flow:
            kept.append(passage)
            return []
        sent = [passage, passage.again()] if "twice" in flow else [passage]
        sent += kept
        kept.clear()
        return sent

    def hangup_ignored(self, passage: Passage) -> bool:
        """Whether the server is not to hear that who asked this is gone."""
        hangup = passage.again()
        hangup.at = frozenset({"hangup"})
        self.through(hangup)
        return hangup.ignored

    def fault(self, text: str) -> None:
        """Something of the mutant could not be done."""
        self.faults.append(text)

    def left(self, scope: str) -> list[Passage]:
        """What is held back on a connection or subscription that ends."""
        return [held for key in list(self._held) if key[0] == scope for held in self._held.pop(key)]

    def _due(self, passage: Passage) -> Iterator[Change]:
        if passage.binding not in self._bindings:
            return
        for index, change in enumerate(self._changes):
            if not _concerns(change, passage):
                continue
            self._matched[index, passage.scope] += 1
            if change.nth in (None, self._matched[index, passage.scope]):
                yield change

    def _edit(self, change: Change, passage: Passage) -> Iterator[str]:
        """Carries the edits out; those that are about the flow are given back."""
        self.hits += 1
        for name, argument in change.do:
            if name in FLOW:
                yield name
                continue
            try:
                EDITS[name](passage, argument, self._means)
            except Exception as error:
                # In the middle of a proxy it would look like a fault of the server, and kill the mutant.
                self.fault(f"{name} {argument!r}: {type(error).__name__}: {error}")

    def _restore(self, passage: Passage) -> None:
        """What was hidden from the server is what its answer has to repeat."""
        for pointer, value in (passage.request.restores if passage.request else {}).items():
            if pointer.startswith("/header/") and found(passage.message, "/header"):
                passage.message = put(passage.message, pointer, value)
                passage.changed = True


def _concerns(change: Change, passage: Passage) -> bool:
    if change.at not in passage.at:
        return False
    named = not change.of or any(
        fnmatchcase(operation, of) for of in change.of for operation in passage.operations
    )
    return named and all(_holds(place, pattern, passage) for place, pattern in change.when.items())


def _holds(place: str, pattern: Any, passage: Passage) -> bool:
    """One of the values at that place matches; where there is none, only `!absent` does."""
    values = _values(place, passage)
    if not values:
        return not list(differences({"it": pattern}, {}))
    return any(not list(differences(pattern, value)) for value in values)


def _values(place: str, passage: Passage) -> list[Any]:
    if place == "status":
        return [] if passage.status is None else [passage.status]
    if place.startswith("fields."):
        value = passage.fields.get(place.removeprefix("fields."), _ABSENT)
        return [] if value is _ABSENT else [value]
    if place.startswith("request."):
        return _values(place.removeprefix("request."), passage.request) if passage.request else []
    return found(passage.message, place)
