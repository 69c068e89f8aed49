"""The option --only, and patterns that have to match something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from mig_conformance.checks.load import every_check
from mig_conformance.running.selection import PatternError, Patterns

_Command = TypeVar("_Command", bound=Callable[..., Any])


def only_option(command: _Command) -> _Command:
    """Adds it; the command gets a tuple of texts."""
    return click.option(
        "--only",
        metavar="PATTERN",
        multiple=True,
        help="Only checks of this name, such as 'invoke/*@nats', or of this requirement; may be repeated.",
    )(command)


def only_patterns(only: Sequence[str]) -> Patterns | None:
    """None where nothing was said. Raises click.UsageError."""
    return matching(Patterns(source="--only", globs=tuple(only))) if only else None


def matching(patterns: Patterns) -> Patterns:
    """The patterns, each of which matches a check of this suite. Raises click.UsageError."""
    try:
        patterns.require_matches(every_check())
    except PatternError as error:
        raise click.UsageError(str(error)) from None
    return patterns
