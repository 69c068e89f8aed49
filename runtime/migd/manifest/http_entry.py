"""Entries that name an HTTP service."""

from __future__ import annotations

import re

from yarl import URL

from mig_protocol.messages import CapabilityDescriptor, InvocationMode
from migd.capability.descriptor import (
    DEFAULT_MAX_PAYLOAD_BYTES,
    check_id,
    check_scope,
    check_topic,
    check_uri,
    check_version,
    describe,
    qos_profile,
)
from migd.core.catalog import Capability
from migd.manifest.allowances import read_allowance
from migd.manifest.document import Place
from migd.manifest.schema_entry import read_schema
from migd.manifest.tenants import read_tenants
from migd.providers.hosts import UNLISTED, ProviderHosts
from migd.providers.http import OWN_HEADERS, HttpProvider, HttpService

_KEYS = (
    "http",
    "stream_url",
    "id",
    "version",
    "modes",
    "scopes",
    "event_topics",
    "input_schema",
    "output_schema",
    "input_schema_uri",
    "output_schema_uri",
    "max_payload_bytes",
    "max_response_bytes",
    "timeout_ms",
    "headers",
    "tenants",
    "limits",
)
_MODES = ("unary", "server_stream")
_DEFAULT_TIMEOUT_MS = 30_000
_DEFAULT_MAX_RESPONSE_BYTES = 8_388_608
_MOST_BYTES = 1_073_741_824
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read_http(entry: Place, hosts: ProviderHosts = UNLISTED) -> Capability:
    """The capability in front of a service at one of `hosts`. Nothing is asked of the service here."""
    keys = entry.only(_KEYS)
    descriptor = _descriptor(entry, keys)
    service = _service(keys, descriptor.id, hosts)
    return Capability(
        descriptor=descriptor,
        provider=HttpProvider(service),
        input_schema=read_schema(keys.get("input_schema")),
        output_schema=read_schema(keys.get("output_schema")),
        tenants=read_tenants(keys.get("tenants")),
        limits=read_allowance(keys.get("limits")),
        made_from=service,
    )


def _descriptor(entry: Place, keys: dict[str, Place]) -> CapabilityDescriptor:
    if "id" not in keys:
        raise entry.wrong("an http capability needs an id")
    return describe(
        id=keys["id"].checked(check_id),
        version=keys["version"].checked(check_version) if "version" in keys else "1.0.0",
        modes=_modes(keys.get("modes")),
        scopes=[scope.checked(check_scope) for scope in _list(keys, "scopes")],
        event_topics=[topic.checked(check_topic) for topic in _list(keys, "event_topics")],
        qos=qos_profile(_integer(keys, "max_payload_bytes", DEFAULT_MAX_PAYLOAD_BYTES, _MOST_BYTES)),
        input_schema_uri=_uri(keys.get("input_schema_uri")),
        output_schema_uri=_uri(keys.get("output_schema_uri")),
    )


def _uri(place: Place | None) -> str | None:
    return place.checked(check_uri) if place else None


def _modes(place: Place | None) -> list[InvocationMode]:
    if place is None:
        return [InvocationMode.unary]
    modes = [InvocationMode(mode.one_of(_MODES)) for mode in place.items()]
    if not modes or len(set(modes)) < len(modes):
        raise place.wrong(f"list one or both of {', '.join(_MODES)}, each once")
    return modes


def _service(keys: dict[str, Place], capability: str, hosts: ProviderHosts) -> HttpService:
    url = _url(keys["http"], hosts)
    return HttpService(
        capability=capability,
        url=url,
        stream_url=_url(keys["stream_url"], hosts) if "stream_url" in keys else url,
        timeout_s=_integer(keys, "timeout_ms", _DEFAULT_TIMEOUT_MS, 86_400_000) / 1000,
        max_response_bytes=_integer(keys, "max_response_bytes", _DEFAULT_MAX_RESPONSE_BYTES, _MOST_BYTES),
        headers=_headers(keys["headers"]) if "headers" in keys else {},
        hosts=hosts,
    )


def _url(place: Place, hosts: ProviderHosts) -> str:
    text = place.text()
    try:
        url = URL(text)
        usable = (
            url.scheme in ("http", "https") and bool(url.host) and not url.fragment and url.port is not None
        )
    except ValueError:
        usable = False
    if not usable:
        raise place.wrong(f'"{place.written}" is not an http:// or https:// URL with a host')
    if url.user is not None or url.password is not None:
        raise place.wrong(
            "a URL with a user or password ends up in logs; use `headers: {Authorization: ...}`"
        )
    obstacle = hosts.obstacle(url.host or "", url.port or 0)
    if obstacle is not None:
        raise place.wrong(obstacle)
    return text


def _headers(place: Place) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in place.entries().items():
        if not _HEADER_NAME.fullmatch(name):
            raise value.wrong("is not the name of an HTTP header")
        if name.lower() in OWN_HEADERS:
            raise value.wrong("is set by migd itself, for each call")
        headers[name] = value.text()
        if not headers[name].isprintable():
            raise value.wrong("a header's value is one line of printable characters")
    return headers


def _list(keys: dict[str, Place], key: str) -> list[Place]:
    return keys[key].items() if key in keys else []


def _integer(keys: dict[str, Place], key: str, default: int, most: int) -> int:
    return keys[key].integer(1, most) if key in keys else default
