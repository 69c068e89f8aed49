"""A server that is ready to be judged: started where its manifest says how, connected to, asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mig_conformance.running.links import Links
from mig_conformance.running.probe import completed
from mig_conformance.running.run import Restart
from mig_conformance.subject.process import ServerProcess
from mig_conformance.subject.reach import reach
from mig_conformance.subject.subject import Declaration, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`restart` is None where the suite can not."""

    subject: Subject
    links: Links
    restart: Restart | None


@asynccontextmanager
async def opened(declaration: Declaration, folder: Path) -> AsyncIterator[Session]:
    """Whatever was started is stopped at the end. `folder` is for what the server's commands print. Raises
    UnreachableError.
    """
    async with ServerProcess(declaration.subject, folder) as server:
        await reach(declaration.subject.endpoints)
        async with Links(declaration.subject) as links:
            subject = await completed(declaration, links)
            commands = subject.commands
            can_restart = commands.restart is not None or commands.start is not None
            yield Session(subject=subject, links=links, restart=server.restart if can_restart else None)
