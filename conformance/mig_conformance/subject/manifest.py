"""The manifest mig-sut.yaml, and the options that override it, as a subject."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from mig_conformance.subject.document import Document
from mig_conformance.subject.placeholders import Placeholders
from mig_conformance.subject.subject import Auth, Command, Commands, Declaration, Endpoints, Limits, Subject

_SHOWN = 80


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema of mig-sut.yaml."""
    text = files("mig_conformance.subject").joinpath("manifest.schema.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def declaration_of(document: Document, placeholders: Placeholders) -> Declaration:
    """What the document says of the server. Raises ManifestError."""
    document.fill(placeholders.fill)
    error = best_match(Draft202012Validator(manifest_schema()).iter_errors(document.content))
    if error is not None:
        raise document.error(tuple(error.absolute_path), _why(error))
    content = document.content
    _check_complete(document)
    return Declaration(
        subject=_subject(content),
        profiles=frozenset(content["profiles"]) if "profiles" in content else None,
        features=frozenset(content["features"]) if "features" in content else None,
    )


def _subject(content: Mapping[str, Any]) -> Subject:
    named = ("implementation", "version", "contact", "tenant", "other_tenant", "patience_s")
    commands = {name: _command(value) for name, value in content.get("commands", {}).items()}
    return Subject(
        **{name: content[name] for name in named if name in content},
        endpoints=_endpoints(content["endpoints"]),
        peers=tuple(_endpoints(peer) for peer in content.get("peers", ())),
        auth=Auth(**content.get("auth", {})),
        limits=Limits(**content.get("limits", {})),
        commands=Commands(**commands),
    )


def _endpoints(said: Mapping[str, str]) -> Endpoints:
    return Endpoints(**{name: value.removesuffix("/") for name, value in said.items()})


def _command(said: str | dict[str, Any]) -> Command:
    return Command(run=said) if isinstance(said, str) else Command(**said)


def _check_complete(document: Document) -> None:
    """What no schema says well."""
    content = document.content
    if not content.get("endpoints"):
        raise document.error(
            (), "no endpoint is said: give --http, --grpc or --nats, or endpoints in --sut FILE"
        )
    auth = content.get("auth", {})
    if auth.get("mode") == "jwt" and "hs256_secret" not in auth and "own" not in auth.get("tokens", {}):
        raise document.error(("auth",), "mode jwt wants a token or the secret: tokens/own or hs256_secret")
    subject = _subject(content)
    if subject.tenant == subject.other_tenant:
        raise document.error(("other_tenant",), "it has to be another tenant than that of the caller")


def _why(error: ValidationError) -> str:
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        known = schema.get("properties", {})
        unknown = sorted(set(cast(Mapping[str, Any], error.instance)) - set(known))
        return f"no member {', '.join(unknown)}; it may have {', '.join(known)}"
    if error.validator == "required":
        return error.message
    expected = schema.get("description", error.message)
    return f"expected {expected}" + ("" if _is_secret(error) else f", not {_short(error.instance)}")


def _is_secret(error: ValidationError) -> bool:
    return "auth" in error.absolute_path and "mode" not in error.absolute_path


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
