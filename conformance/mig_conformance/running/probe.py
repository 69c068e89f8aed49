"""What a server says of itself, for a manifest that does not say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from mig_conformance.checks.features import required_by
from mig_conformance.checks.trial import SCRIPT
from mig_conformance.drivers.http import HttpDriver
from mig_conformance.drivers.port import Ask, BindingName, JsonObject
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, SilentError, UncheckedError, UnreachableError
from mig_conformance.running.links import Links
from mig_conformance.subject.callers import Callers
from mig_conformance.subject.subject import Declaration, Subject
from mig_protocol.operations import FEATURES, PROFILES

_UNARY: tuple[BindingName, ...] = ("http", "grpc", "nats")
_PAGES = {"metrics": "/metrics", "ui": "/ui", "docs": "/docs"}


async def completed(declaration: Declaration, links: Links) -> Subject:
    """The subject with what it did not declare taken from the server, and with what follows from either.

    A server that does not answer as it should declares nothing by it, and is held to core. Raises
    UnreachableError.
    """
    subject, profiles, features = declaration.subject, declaration.profiles, declaration.features
    probe = _Probe(subject, links)
    if profiles is None or features is None:
        hello = await probe.hello()
        if profiles is None:
            profiles = _named({profile.id for profile in PROFILES}, hello, "header", "meta", "mig.profiles")
        if features is None:
            features = _named(FEATURES.keys(), hello, "enabled_features") | await probe.means()
            features |= await probe.settings()
            if subject.endpoints.nats is not None and "events" in features:
                features |= {"mirror"}
    return replace(
        subject,
        profiles=profiles or frozenset({"core"}),
        features=features | required_by(profiles) | frozenset(_implied(subject)),
    )


class _Probe:
    """Asks over the first binding that can answer."""

    def __init__(self, subject: Subject, links: Links) -> None:
        self._subject = subject
        self._links = links
        self._callers = Callers(subject)

    async def hello(self) -> JsonObject:
        """As `ask`. Raises UnreachableError where nothing comes, so that not every check waits for it."""
        try:
            return await self._asked("HELLO", {"requested_features": list(FEATURES)}, "own")
        except SilentError as silent:
            raise UnreachableError(f"the endpoint takes connections, and nothing comes: {silent}") from None

    async def ask(self, operation: str, message: JsonObject, caller: str = "own") -> JsonObject:
        """The answer; {} where there is none worth the name."""
        try:
            return await self._asked(operation, message, caller)
        except SilentError:
            return {}

    async def _asked(self, operation: str, message: JsonObject, caller: str) -> JsonObject:
        for binding in _UNARY:
            if self._subject.endpoints.of(binding) is None:
                continue
            try:
                driver = self._links.driver(binding, Transcript())
                ask = Ask(operation=operation, caller=self._callers.named(caller), message=message)
                return (await driver.call(ask)).accepted()
            except SilentError:
                raise
            except (FlawError, UncheckedError):
                return {}
        return {}

    async def means(self) -> frozenset[str]:
        """Those of the suite's own features that can be seen from outside."""
        found = {name for name, path in _PAGES.items() if await self._serves(path)}
        if SCRIPT in await self._discovered("own", query=SCRIPT):
            found.add("script")
        if self._subject.endpoints.http is not None and await self.ask("CONFORMANCE_HEALTH", {}, "admin"):
            found.add("admin")
        own, other = await self._discovered("own"), await self._discovered("other")
        if own and other and own != other:
            found.add("hidden")
        return frozenset(found)

    async def settings(self) -> frozenset[str]:
        """How it is set up, as far as that can be seen: a caller without scopes may publish, or may not."""
        if self._subject.auth.mode == "none":
            return frozenset()
        topic = {"topic": "conformance.probe", "payload": {}}
        opened = await self.ask("PUBLISH", topic, "own"), await self.ask("PUBLISH", topic, "scopeless")
        return frozenset({"topic-scopes"} if opened[0] and not opened[1] else ())

    async def _discovered(self, caller: str, query: str = "") -> set[str]:
        capabilities = _member(await self.ask("DISCOVER", {"query": query}, caller), "capabilities")
        listed = capabilities if isinstance(capabilities, list) else []
        return {str(_member(each, "id")) for each in listed}

    async def _serves(self, path: str) -> bool:
        if self._subject.endpoints.http is None:
            return False
        http = cast(HttpDriver, self._links.driver("http", Transcript()))
        try:
            return (await http.request("GET", path, caller=self._callers.named("nobody"))).status == 200
        except FlawError:
            return False


def _implied(subject: Subject) -> Iterator[str]:
    yield {"none": "open", "jwt": "jwt"}[subject.auth.mode]
    if subject.auth.mode == "jwt" and subject.auth.hs256_secret is not None:
        yield "tokens"
    if subject.commands.restart is not None or subject.commands.start is not None:
        yield "restart"
    if subject.peers:
        yield "peers"


def _named(known: Any, value: Any, *path: str) -> frozenset[str]:
    """The names at the path that are known; a server may write anything there."""
    for name in path:
        value = _member(value, name)
    listed = value if isinstance(value, list) else []
    return frozenset(each for each in listed if isinstance(each, str) and each in known)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
