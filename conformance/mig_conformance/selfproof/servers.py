"""The right servers of a self-test: those of the packaged manifests, or the one that a manifest describes."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from mig_conformance.flaws import UnreachableError
from mig_conformance.running.session import Session, opened
from mig_conformance.subject.document import read_document
from mig_conformance.subject.manifest import declaration_of
from mig_conformance.subject.placeholders import Placeholders
from mig_conformance.subject.subject import AuthMode, Declaration

_PACKAGED = ("open.yaml", "jwt.yaml")
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """`manifests` are read anew for each server that is started: it has ports and a folder of its own then.
    `environ` is what ${env.NAME} in them stands for.
    """

    manifests: Sequence[Path]
    environ: Mapping[str, str]

    @asynccontextmanager
    async def right(self) -> AsyncIterator[Mapping[AuthMode, Session]]:
        """A server of each manifest, by its auth mode. Raises ManifestError and UnreachableError."""
        async with AsyncExitStack() as stack:
            sessions: dict[AuthMode, Session] = {}
            for manifest in self.manifests:
                session = await stack.enter_async_context(self._started(manifest, lambda given: given))
                sessions[session.subject.auth.mode] = session
            yield sessions

    @asynccontextmanager
    async def further(self, mode: AuthMode, env: Mapping[str, str]) -> AsyncIterator[Session]:
        """One more of that mode, with `env` besides its own variables. Raises UnreachableError where the
        manifest has no command that starts it.
        """

        def changed(declaration: Declaration) -> Declaration:
            commands = declaration.subject.commands
            if commands.start is None:
                raise UnreachableError("the manifest has no commands.start, which a mutant with env needs")
            start = replace(commands.start, env={**commands.start.env, **env})
            subject = replace(declaration.subject, commands=replace(commands, start=start))
            return replace(declaration, subject=subject)

        async with AsyncExitStack() as stack:
            for manifest in self.manifests:
                if self._mode(manifest) == mode:
                    yield await stack.enter_async_context(self._started(manifest, changed))
                    return

    def _mode(self, manifest: Path) -> AuthMode:
        with TemporaryDirectory() as scratch:
            return self._declared(manifest, Path(scratch)).subject.auth.mode

    @asynccontextmanager
    async def _started(
        self, manifest: Path, changed: Callable[[Declaration], Declaration]
    ) -> AsyncIterator[Session]:
        with TemporaryDirectory(prefix="mig-self-test-") as scratch:
            declaration = changed(self._declared(manifest, Path(scratch)))
            async with opened(declaration, Path(scratch)) as session:
                yield session

    def _declared(self, manifest: Path, scratch: Path) -> Declaration:
        return declaration_of(read_document(manifest), Placeholders(self.environ, scratch))


def reference_servers() -> Servers:
    """migd and a nats-server, beside this Python or in PATH, in both auth modes. Raises UnreachableError."""
    folder = files("mig_conformance.selfproof").joinpath("reference")
    return Servers(
        manifests=[Path(str(folder.joinpath(name))) for name in _PACKAGED],
        environ={
            "MIGD": _found("migd"),
            "NATS_SERVER": _found("nats-server"),
            "SELF_TEST_SECRET": secrets.token_urlsafe(_SECRET_BYTES),
        },
    )


def described_server(manifest: Path) -> Servers:
    """The one of a manifest."""
    return Servers(manifests=[manifest], environ=os.environ)


def _found(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise UnreachableError(
            f"there is no {name}, neither beside {sys.executable} nor in PATH: install it, or give --sut FILE"
        )
    return found
