"""A reader that does not keep up [MIG-STR-012]."""

from __future__ import annotations

import asyncio

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import same
from mig_conformance.temporal.running import count_of, counted, request

_PIECE_BYTES, _PIECES = 16_384, 200
# A hundred megabytes: more than what lies on the way between any two programs.
_LARGE_BYTES, _LARGE = 262_144, 400
_SLOW_S = 0.2


async def loses_nothing(trial: Trial) -> None:
    """Three megabytes that nobody reads at first; another connection goes on meanwhile."""
    connection = await trial.connect()
    try:
        await connection.send(request("s", {"pieces": {"bytes": _PIECE_BYTES, "times": _PIECES}}))
        await asyncio.sleep(_SLOW_S)
        (await trial.script({"mark": trial.new_id()})).accepted()
        frames = await connection.until_end("s")
    finally:
        await connection.close()
    pieces = [frame["payload"] for frame in frames[:-1]]
    same("the pieces that came", [piece.get("index") for piece in pieces], list(range(_PIECES)))
    same("their sizes", {len(piece.get("filler", "")) for piece in pieces}, {_PIECE_BYTES})


async def slows_the_sender(trial: Trial) -> None:
    """The capability does not come to its end before its pieces are taken, and goes when its reader does."""
    begun, produced, stopped = trial.new_id(), trial.new_id(), trial.new_id()
    pieces = {"bytes": _LARGE_BYTES, "times": _LARGE}
    steps: list[JsonObject] = [{"mark_on_stop": stopped}, {"mark": begun}, {"pieces": pieces}]
    connection = await trial.connect()
    try:
        await connection.send(request("s", *steps, {"mark": produced}))
        await counted(trial, begun)
        await asyncio.sleep(_SLOW_S)
        same("whether all is produced that nobody reads", await count_of(trial, produced), 0)
    finally:
        await connection.close()
    await counted(trial, stopped)
