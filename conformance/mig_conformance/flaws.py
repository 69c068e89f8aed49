"""What a server did wrong, told apart from what the suite did wrong.

    SuiteError
     +-- FlawError        the server is at fault: the check is red
     |    +-- ClosedError   the server ended a connection that it should have kept
     |    +-- SilentError   nothing came in answer to a request
     +-- UnreachableError nobody answers at an endpoint
     +-- UncheckedError   this server gives no way to judge it; no verdict on the server

Whatever else is raised while a check runs is a fault of the harness.
"""

from __future__ import annotations

from typing import Any


class SuiteError(Exception):
    """The text is one line for a person."""


class FlawError(SuiteError):
    """The server answered wrongly; the text says how. `step` is the case's step that found it, from 1, and
    `expected` what that expects.
    """

    step: int | None = None
    expected: Any = None


class ClosedError(FlawError):
    """The server ended the connection. `code` is the WebSocket's close code or the name of gRPC's status."""

    def __init__(self, text: str, code: int | str | None = None) -> None:
        super().__init__(text)
        self.code = code


class SilentError(FlawError):
    """The server did not answer a request in time."""


class UnreachableError(SuiteError):
    """The text says where nobody answers."""


class UncheckedError(SuiteError):
    """The text says what would be needed to judge it."""


def expect(condition: object, why: str) -> None:
    """Raises FlawError unless the condition holds."""
    if not condition:
        raise FlawError(why)


def same(what: str, found: object, wanted: object) -> None:
    """Raises FlawError unless the two are equal."""
    expect(found == wanted, f"{what} is {found!r}, expected {wanted!r}")
