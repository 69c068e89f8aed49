"""The command line of a smoke tool: every option with one dash or two, as MIG's other tools take them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_S = 3600.0
_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the caller said: where the server is, as which tenant to call it, with which token, and how many
    seconds an answer may take.
    """

    server: str
    tenant: str
    token: str | None
    timeout_s: float


def read_arguments(
    argv: Sequence[str], *, prog: str, server_option: str, default: str, about: str
) -> Arguments:
    """Read `argv`. A mistake is told on standard error and ends the process with status 2; -h with 0.

    `server_option` is the name of the option that says where the server is, such as "addr", and `default`
    its value where it is not given; `about` says what it takes.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=f"{_DESCRIPTION} The exit status is 0 when every check passed, 1 when one failed, "
        "2 when the command line is wrong or the server is not there.",
        epilog="Options are taken with one dash or two.",
        allow_abbrev=False,
    )
    _add(parser, server_option, default, about)
    _add(parser, "tenant", "acme", "the tenant to call as")
    _add(parser, "token", None, "a bearer token of that tenant, with the scope capability:infer")
    _add(parser, "timeout", "5", "how many seconds a check may take")
    given = parser.parse_args(argv)
    if not _TENANT.fullmatch(given.tenant):
        parser.error(f"-tenant {given.tenant!r}: expected 1 to 64 characters of A-Z a-z 0-9 _ -")
    return Arguments(
        server=getattr(given, server_option),
        tenant=given.tenant,
        token=given.token or None,
        timeout_s=_seconds(parser, given.timeout),
    )


_DESCRIPTION = (
    "Check a running MIG server that offers the reference capability observatory.models.infer: one line "
    "for each check, [PASS] name or [FAIL] name: why."
)


def _add(parser: argparse.ArgumentParser, name: str, default: str | None, about: str) -> None:
    shown = "" if default is None else f" (default {default})"
    parser.add_argument(f"-{name}", f"--{name}", default=default, metavar=name.upper(), help=about + shown)


def _seconds(parser: argparse.ArgumentParser, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= _LONGEST_S:
        parser.error(f"-timeout {text!r}: expected a number of seconds up to {_LONGEST_S:g}")
    return seconds
