"""Which topics a scope opens: `mig:publish:<pattern>` and `mig:subscribe:<pattern>`.

A pattern is matched token by token, as NATS matches subjects: `*` is any one token, `>` at the end is one
token or more, every other token is itself. A pattern that is not well formed (an empty token, a `>` that is
not the last, a wildcard beside other characters) opens nothing, since no topic has such a token.
"""

from __future__ import annotations

from collections.abc import Iterable


def opens(scopes: Iterable[str], action: str, topic: str) -> bool:
    """Whether one of `scopes` opens `topic` for `action`, which is "publish" or "subscribe"."""
    prefix = needed(action, "")
    return any(covers(scope.removeprefix(prefix), topic) for scope in scopes if scope.startswith(prefix))


def needed(action: str, topic: str) -> str:
    """The narrowest scope that opens `topic`."""
    return f"mig:{action}:{topic}"


def covers(pattern: str, topic: str) -> bool:
    """Whether the topic, which is well formed, is one of those that the pattern means."""
    wanted, tokens = pattern.split("."), topic.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(tokens) <= len(wanted):
            return False
        tokens = tokens[: len(wanted)]
    return len(wanted) == len(tokens) and all(
        want in ("*", token) for want, token in zip(wanted, tokens, strict=True)
    )
