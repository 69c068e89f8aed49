"""What ${...} in a case stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mig_conformance.checks.load import CaseError
from mig_conformance.checks.matching import Contains, Every, Exactly, Not, OneOf, Unordered

_REFERENCE = re.compile(r"\$\{([a-z_]+(?:\.[A-Za-z0-9_]+)?)\}")


class Variables:
    """Values for one run of a case.

    `${id.NAME}`, `${topic.NAME}` and `${tenant.NAME}` are new the first time and the same from then on;
    `${kept.NAME}` was kept by a step before; `${letters.N}` is N times the letter a; any other name is one of
    `given`. A text that is nothing but a reference becomes the value itself, of whatever type.
    """

    def __init__(self, given: Mapping[str, Any], makers: Mapping[str, Callable[[], str]]) -> None:
        self._given = dict(given)
        self._makers = makers
        self._made: dict[str, Any] = {}

    def keep(self, name: str, value: Any) -> None:
        """Known as ${kept.NAME} from now on."""
        self._made[f"kept.{name}"] = value

    def give(self, name: str, value: Any) -> None:
        """Known as ${name} from now on."""
        self._given[name] = value

    def fill(self, value: Any) -> Any:
        """The value with every reference in it replaced. Raises CaseError for one that stands for nothing."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self.fill(name): self.fill(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        match value:
            case (
                Exactly(inner) | Unordered(inner) | OneOf(inner) | Contains(inner) | Every(inner) | Not(inner)
            ):
                return type(value)(self.fill(inner))
        return value

    def _text(self, text: str) -> Any:
        whole = _REFERENCE.fullmatch(text)
        if whole:
            return self._value(whole[1])
        return _REFERENCE.sub(lambda match: str(self._value(match[1])), text)

    def _value(self, name: str) -> Any:
        if name in self._given:
            return self.fill(self._given[name])
        kind, _, rest = name.partition(".")
        if kind == "letters" and rest.isdigit():
            return "a" * int(rest)
        maker = self._makers.get(kind)
        if name not in self._made and maker is not None and "." in name:
            self._made[name] = maker()
        if name not in self._made:
            raise CaseError(f"${{{name}}} stands for nothing")
        return self._made[name]
