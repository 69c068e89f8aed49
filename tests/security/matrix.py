"""Every place x every kind of credential x every way to name a tenant: asked, and held to the spec."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from security.expectation import CREDENTIALS, OTHER, OWN, Credential, Mode, Place, acting, expected
from security.planted import leaked

Naming = Mapping[str, str]
"""Where a request names a tenant, and which: {"field": "acme", "body": "globex"}."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The code of the refusal, "" for a success, and every byte of the answer."""

    code: str
    raw: bytes


Ask = Callable[[Place, Credential, Naming], Awaitable[Outcome]]


def namings(*spots: str, always: str = "") -> list[Naming]:
    """Nothing, the own and the other tenant at each of the spots, and a contradiction between the first two.

    `always` is a spot that can not be left out.
    """
    fixed = [{always: tenant} for tenant in (OWN, OTHER)] if always else [{}]
    found = [base | {spot: tenant} for base in fixed for spot in spots for tenant in (OWN, OTHER)]
    if len(spots) > 1:
        found += [base | {spots[0]: OWN, spots[1]: OTHER} for base in fixed]
    return [*fixed, *found]


async def hold(mode: Mode, places: Iterable[tuple[Place, list[Naming]]], ask: Ask, *, at_least: int) -> None:
    """Fails with every answer that is not as the spec says or tells too much, or if too little was asked."""
    asked, wrong = 0, []
    for place, ways in places:
        for naming in ways:
            for credential in CREDENTIALS:
                outcome = await ask(place, credential, naming)
                asked += 1
                case = f"{place.name}, credential: {credential.name}, tenants: {dict(naming) or 'none'}"
                wrong += [f"{case}: {what}" for what in _wrong(mode, place, credential, naming, outcome)]
    assert not wrong, "\n".join(wrong)
    assert asked >= at_least, f"only {asked} requests were made"


def _wrong(
    mode: Mode, place: Place, credential: Credential, naming: Naming, outcome: Outcome
) -> Iterable[str]:
    named = list(naming.values())
    want = expected(mode, place, credential, named)
    if outcome.code != want:
        yield f"{outcome.code or 'success'}, not {want or 'success'}"
    if found := leaked(place, outcome.raw, acting(mode, named), want):
        yield f"the answer tells {found}"
