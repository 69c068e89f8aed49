"""The options that say which server it is about, and how to judge it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from mig_conformance.drivers.port import BINDINGS
from mig_conformance.report.redaction import without_credentials
from mig_conformance.subject.document import Document, ManifestError, Place, read_document
from mig_conformance.subject.manifest import declaration_of
from mig_conformance.subject.placeholders import Placeholders
from mig_conformance.subject.subject import Declaration
from mig_protocol.operations import PROFILES

_Command = TypeVar("_Command", bound=Callable[..., Any])
_CALLERS = ("own", "other", "admin", "scopeless")
_PLACES: Mapping[str, Place] = {
    "http": ("endpoints", "http"),
    "grpc": ("endpoints", "grpc"),
    "nats": ("endpoints", "nats"),
    "tenant": ("tenant",),
    "hs256_secret": ("auth", "hs256_secret"),
}

_OPTIONS = (
    click.option(
        "--sut",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The manifest of the server, mig-sut.yaml; the other options override it.",
    ),
    click.option("--http", metavar="URL", help="Where it serves HTTP, SSE and the WebSocket."),
    click.option("--grpc", metavar="HOST:PORT", help="Where it serves gRPC."),
    click.option("--nats", metavar="URL", help="The NATS server that it is connected to."),
    click.option("--tenant", metavar="ID", help="The tenant to call as (default acme)."),
    click.option(
        "--token",
        "tokens",
        metavar="[CALLER=]TOKEN",
        multiple=True,
        help="A bearer token of that tenant; with other=, admin= or scopeless= that of a further caller.",
    ),
    click.option("--hs256-secret", metavar="SECRET", help="With it the suite makes every token itself."),
    click.option(
        "--profile",
        "profiles",
        type=click.Choice([profile.id for profile in PROFILES]),
        multiple=True,
        help="Hold it to this profile, whatever it declares; may be repeated.",
    ),
    click.option(
        "--binding",
        "bindings",
        type=click.Choice(BINDINGS),
        multiple=True,
        help="Judge this binding only; may be repeated.",
    ),
)


def server_options(command: _Command) -> _Command:
    """Adds them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def declared(given: Mapping[str, Any], scratch: Path) -> Declaration:
    """The server that the options and their manifest describe. Raises click.UsageError."""
    try:
        document = read_document(given["sut"])
        for option, place in _PLACES.items():
            if given[option] is not None:
                document.override(place, given[option], f"--{option.replace('_', '-')}")
        _override_auth(document, given)
        declaration = declaration_of(document, Placeholders(os.environ, scratch))
    except ManifestError as error:
        raise click.UsageError(str(error)) from None
    if given["profiles"]:
        declaration = replace(declaration, profiles=frozenset(given["profiles"]))
    if given["bindings"]:
        chosen = tuple(binding for binding in BINDINGS if binding in given["bindings"])
        declaration = replace(declaration, subject=replace(declaration.subject, bindings=chosen))
    return declaration


def names_a_server(given: Mapping[str, Any]) -> bool:
    """Whether the options say where one is."""
    return any(given[option] is not None for option in ("sut", "http", "grpc", "nats"))


def flags(given: Mapping[str, Any]) -> Iterator[str]:
    """The options again, for a command line to copy: secrets are variables, which whoever copies it sets."""
    for option in ("sut", "http", "grpc", "nats", "tenant"):
        if given[option] is not None:
            said = str(given[option])
            secret = without_credentials(said) != said
            yield from (f"--{option}", f'"${option.upper()}_URL"' if secret else shlex.quote(said))
    for caller, _ in map(_caller_and_token, given["tokens"]):
        yield from ("--token", '"$TOKEN"' if caller == "own" else f'{caller}="$TOKEN_{caller.upper()}"')
    if given["hs256_secret"] is not None:
        yield from ("--hs256-secret", '"$HS256_SECRET"')
    for profile in given["profiles"]:
        yield from ("--profile", profile)
    for binding in given["bindings"]:
        yield from ("--binding", binding)


def _override_auth(document: Document, given: Mapping[str, Any]) -> None:
    for caller, token in map(_caller_and_token, given["tokens"]):
        document.override(("auth", "tokens", caller), token, "--token")
    if given["tokens"] or given["hs256_secret"] is not None:
        document.override(("auth", "mode"), "jwt", "--token")


def _caller_and_token(text: str) -> tuple[str, str]:
    """A token has no "=" of its own but at its end."""
    caller, separator, token = text.partition("=")
    return (caller, token) if separator and caller in _CALLERS else ("own", text)
