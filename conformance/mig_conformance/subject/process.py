"""The server as the commands of its manifest run it.

`start` may go on as the server itself, or end with status 0 and leave it running; `stop` and `restart` end
when they are done. Each is a process group of its own, and whatever is left of any is ended at last. Without
`stop` the group of `start` is asked to end by SIGTERM; without `restart` the server is stopped and started.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen
from types import TracebackType
from typing import Self

from mig_conformance.flaws import UnreachableError
from mig_conformance.subject.reach import until_ready
from mig_conformance.subject.subject import Command, Subject

_GRACE_S = 30.0
_BETWEEN_S = 0.02
_SHOWN = 2000


class ServerProcess:
    """Enter it to start the server where the manifest says how; it is stopped when it is left. What the
    commands print goes into files in `folder`. Raises UnreachableError, with the end of that, when the server
    does not become ready.
    """

    def __init__(self, subject: Subject, folder: Path) -> None:
        self._commands = subject.commands
        self._endpoints = (subject.endpoints, *subject.peers)
        self._folder = folder
        self._groups: list[Popen[bytes]] = []

    async def __aenter__(self) -> Self:
        if self._commands.start is not None:
            try:
                await self._start(self._commands.start)
            except BaseException:
                await self._end()
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._commands.start is not None and self._commands.stop is not None:
            with suppress(UnreachableError):
                await self._done("stop", self._commands.stop)
        await self._end()

    async def restart(self) -> None:
        """Returns when it is ready again."""
        if self._commands.restart is not None:
            await self._done("restart", self._commands.restart)
            await self._ready("restart", self._commands.restart, None)
        elif self._commands.start is not None:
            if self._commands.stop is not None:
                await self._done("stop", self._commands.stop)
            await self._end()
            await self._start(self._commands.start)

    async def _start(self, command: Command) -> None:
        await self._ready("start", command, self._spawn("start", command))

    async def _ready(self, name: str, command: Command, process: Popen[bytes] | None) -> None:
        """Returns when the server is ready; a process that fails before is not waited for."""
        waiting = asyncio.create_task(until_ready(self._endpoints, command.ready))
        failing = asyncio.create_task(_failure(process))
        try:
            done, _ = await asyncio.wait(
                {waiting, failing}, timeout=command.within_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waiting.cancel()
            failing.cancel()
        if failing in done:
            raise self._failed(name, f"ended with status {failing.result()}")
        if waiting not in done:
            raise self._failed(name, f"the server was not ready within {command.within_s:g} seconds")

    async def _done(self, name: str, command: Command) -> None:
        process = self._spawn(name, command)
        try:
            async with asyncio.timeout(command.within_s):
                status = await _status(process)
        except TimeoutError:
            raise self._failed(name, f"was not done within {command.within_s:g} seconds") from None
        if status != 0:
            raise self._failed(name, f"ended with status {status}")

    def _spawn(self, name: str, command: Command) -> Popen[bytes]:
        # Not asyncio's: whoever is interrupted while that starts a process never hears of it.
        with self._output(name).open("wb") as output:
            process = Popen(  # noqa: S602 - what the manifest has is a line for the shell
                command.run,
                shell=True,
                env={**os.environ, **command.env},
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
            self._groups.append(process)
        return process

    async def _end(self) -> None:
        """Every process that any command has started and that is still there."""
        groups, self._groups = self._groups, []
        for process in groups:
            await _end_group(process)

    def _output(self, name: str) -> Path:
        return self._folder / f"{name}.out"

    def _failed(self, name: str, how: str) -> UnreachableError:
        said = self._output(name).read_text(errors="replace").strip()[-_SHOWN:]
        return UnreachableError(f"commands.{name}: {how}" + (f"; it printed:\n{said}" if said else ""))


async def _failure(process: Popen[bytes] | None) -> int:
    """The status of a process that fails; never ends for one that ends well."""
    status = 0 if process is None else await _status(process)
    if status == 0:
        await asyncio.Event().wait()
    return status


async def _end_group(process: Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        _signal(process, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await _gone(process)
                return


async def _gone(process: Popen[bytes]) -> None:
    """Its group may outlive the process that began it."""
    await _status(process)
    while _signal(process, 0):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(_BETWEEN_S)


async def _status(process: Popen[bytes]) -> int:
    while (status := process.poll()) is None:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(_BETWEEN_S)
    return status


def _signal(process: Popen[bytes], number: int) -> bool:
    """Whether there was anybody in the group to get it."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
