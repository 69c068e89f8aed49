"""What SIGHUP does: the migd.yaml and every file that it or a setting names are read again.

1. Whatever else becomes of it, audit files that were moved away are begun anew: a mistake in another file is
   no reason to write on into one that is being rotated.
2. All or nothing: the first mistake is one line in the log, and the gateway goes on as it was.
3. A setting that only a restart changes keeps its value, and is named in a warning for as long as it differs.
The environment and the flags are those of the process, and can not change.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mig_protocol.errors import MigFault
from migd.app import Application
from migd.authentication import Means
from migd.config import ConfigError, Settings, check_together
from migd.conformance_fixture import with_fixture
from migd.core.reconfiguration import Difference, Prepared
from migd.limiting import limits_of
from migd.logs import configure_logging
from migd.providers.threads import Threads
from migd.setting_rows import SETTINGS
from migd.tls import Certificates

if TYPE_CHECKING:
    from migd.manifest import Manifest

_log = logging.getLogger("migd.reload")
_NAMED = 10

Read = Callable[[], tuple[Settings, "Manifest"]]
"""What the sources say now. May block; raises ConfigError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """All that is to be, found good."""

    settings: Settings
    prepared: Prepared
    means: Means
    certificates: Certificates | None


class Reload:
    """Changes an application that runs with `settings` to what `read` gives, each time it is asked to."""

    def __init__(self, application: Application, settings: Settings, read: Read) -> None:
        self._application = application
        self._settings = settings
        self._read = read
        # The code that the file names is the user's: if it hangs, the gateway must still be able to end.
        self._threads = Threads("reload", 1)
        self._asked = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()

    def ask(self) -> None:
        """Have `follow` do it soon; asked again meanwhile, it does it once more."""
        self._asked.set()

    async def follow(self) -> None:
        """Do it whenever somebody asks, until cancelled. The application has been started by then."""
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                await self.run()
        finally:
            self._threads.close()
            for task in self._retiring:
                task.cancel()

    async def run(self) -> None:
        """Do it now. What can not be done is told in the log, and never raised."""
        self._application.gateway.reopen_audit()
        try:
            settings, manifest = await self._threads.call(self._read)
            settings, held_back = _in_force(self._settings, settings)
            await self._change(await self._prepared(settings, manifest))
            if held_back:
                _log.warning("%s: changed, which takes a restart", ", ".join(held_back))
        except ConfigError as error:
            _log.error("nothing was reloaded: %s", error)
        except MigFault as fault:
            _log.error("nothing was reloaded: %s", fault.message)
        except Exception:
            # A provider is the user's: its start can raise anything.
            _log.exception("nothing was reloaded")

    async def _prepared(self, settings: Settings, manifest: Manifest) -> _Change:
        application = self._application
        certificates = application.tls.read() if application.tls is not None else None
        means = await application.authentication.prepare(settings, manifest.auth)
        try:
            prepared = await application.gateway.reconfiguration.prepare(
                with_fixture(settings, manifest.capabilities), limits_of(settings, manifest.tenants)
            )
        except BaseException:
            await application.authentication.abandon(means)
            raise
        return _Change(settings=settings, prepared=prepared, means=means, certificates=certificates)

    async def _change(self, change: _Change) -> None:
        application = self._application
        try:
            self._apply(change)
        except BaseException:
            await application.authentication.abandon(change.means)
            await application.gateway.reconfiguration.abandon(change.prepared)
            raise
        retiring = asyncio.create_task(self._retire())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _apply(self, change: _Change) -> None:
        """In one turn of the event loop. The catalog, which alone can refuse, is first."""
        application, before = self._application, self._settings
        reconfiguration = application.gateway.reconfiguration
        limits = reconfiguration.limits
        difference = reconfiguration.apply(change.prepared)
        told = [
            *_capabilities(difference),
            *(["limits"] if limits != change.prepared.limits else []),
            *(["who may call"] if application.authentication.apply(change.means) else []),
        ]
        if application.tls is not None and change.certificates is not None:
            told += ["the certificate"] if application.tls.use(change.certificates) else []
        self._settings = change.settings
        told += _logging(before, change.settings)
        _log.info("reloaded: %s", "; ".join(told) or "nothing has changed")

    async def _retire(self) -> None:
        await self._application.authentication.retire()
        await self._application.gateway.reconfiguration.retire()


def _in_force(running: Settings, wanted: Settings) -> tuple[Settings, tuple[str, ...]]:
    """What is to be in force, and the variables of settings that are not to be before a restart."""
    changed = [row for row in SETTINGS if getattr(running, row.field) != getattr(wanted, row.field)]
    taken = {row.field: getattr(wanted, row.field) for row in changed if row.reloads}
    held_back = tuple(row.variable for row in changed if not row.reloads)
    settings = dataclasses.replace(running, **taken)
    try:
        check_together(settings)
    except ConfigError as error:
        raise ConfigError(f"{error}; {', '.join(held_back)} changed, too, which takes a restart") from error
    return settings, held_back


def _capabilities(difference: Difference) -> Iterator[str]:
    for what in ("added", "changed", "removed"):
        ids: tuple[str, ...] = getattr(difference, what)
        if ids:
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            yield f"capabilities {what}: {', '.join(ids[:_NAMED])}{more}"


def _logging(before: Settings, after: Settings) -> list[str]:
    if (before.log_level, before.log_format) == (after.log_level, after.log_format):
        return []
    configure_logging(level=after.log_level, form=after.log_format)
    return ["logging"]
