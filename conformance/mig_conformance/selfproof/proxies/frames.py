"""Frames of one connection, whatever carries it: which request each belongs to."""

from __future__ import annotations

from typing import Any

from mig_conformance.drivers.port import BindingName
from mig_conformance.selfproof.mutant import At
from mig_conformance.selfproof.passage import Passage


class FramePassages:
    """The messages of one connection as passages. `opened` is the request that opened it."""

    def __init__(self, opened: Passage, binding: BindingName, scope: str) -> None:
        self._opened = opened
        self._binding = binding
        self._scope = scope
        self._asked: dict[str, Passage] = {}
        self._last: Passage = opened

    def from_client(self, message: Any, raw: bytes) -> Passage:
        """A frame of the suite's."""
        passage = self._passage("frame_in", message, raw)
        passage.tenant = self._opened.tenant
        if isinstance(message, dict) and message.get("kind") == "request":
            self._last = self._asked.setdefault(str(message.get("stream_id", "")), passage)
        return passage

    def begun(self, stream_id: str, request: Passage) -> None:
        """A stream that was asked for by other means than a frame."""
        self._asked.setdefault(stream_id, request)

    def from_server(self, message: Any, raw: bytes) -> Passage:
        """A frame of the server's; it belongs to the request that began its stream."""
        passage = self._passage("frame_out", message, raw)
        stream_id = str(message.get("stream_id", "")) if isinstance(message, dict) else ""
        passage.request = self._asked.get(stream_id, self._last)
        return passage

    def answering(self, asked: Passage) -> Passage:
        """What the mutant answers, as a frame of the server's."""
        passage = self._passage("frame_out", asked.answer, b"")
        passage.changed = True
        return passage

    def _passage(self, at: At, message: Any, raw: bytes) -> Passage:
        operation = "CANCEL" if isinstance(message, dict) and message.get("kind") == "control" else "INVOKE"
        stage: At = "request" if at == "frame_in" else "answer"
        return Passage(
            at=frozenset({at, stage}),
            binding=self._binding,
            operations=frozenset({"STREAM", operation}),
            message=message,
            raw=raw,
            scope=self._scope,
        )
