"""SURFACE.txt has one sorted line for each fact that users rely on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.surface import surface
from support.broken_spec import PROTO, SPEC, copy_spec, replace


@cache
def lines() -> tuple[str, ...]:
    """The facts of the real spec, without the comment on top."""
    return tuple(line for line in surface(link(load(SPEC))).splitlines() if not line.startswith("#"))


@pytest.mark.parametrize(
    "fact",
    [
        "package mig.v0_1",
        "field MessageHeader.deadline_ms number 8",
        'field MessageHeader.deadline_ms type "uint32"',
        "field HelloRequest.supported_versions repeated true",
        'message StreamFrame request "RequestFrame"',
        "property RequestHeader.deadline_ms maximum 4294967295",
        'property HelloResponse.selected_binding ref "BindingType"',
        "property HelloResponse.selected_binding required true",
        "property DiscoverRequest.include_qos default true",
        'schema InvokeRequest travels ["request"]',
        'enum-value FrameKind.FRAME_KIND_ERROR json "error"',
        "enum-value FrameKind.FRAME_KIND_ERROR number 5",
        'operation INVOKE http "POST /mig/v0.1/invoke/{capability}"',
        'operation INVOKE rpc "/mig.v0_1.Invocation/Invoke"',
        'operation INVOKE nats "mig.v0_1.{tenant}.invoke.{capability}"',
        'operation CREATE_ORG rights "admin"',
        "operation CREATE_ORG status 201",
        "parameter SUBSCRIBE.query.max_inflight required false",
        'status INVOKE.200 application/json "InvokeResponse"',
        'status INVOKE.504 application/json "ErrorEnvelope"',
        "response-header INVOKE.429.Retry-After",
        'channel invoke address "mig.v0_1.{tenant}.invoke.{capability}"',
        "channel-replies invoke.StreamAccepted",
        "error MIG_TIMEOUT http 504",
        "error MIG_TIMEOUT retryable true",
        "error-variant MIG_INVALID_REQUEST.too_large http 413",
        "feature mcp-bridge",
        'profile streaming requires ["cancel","streaming"]',
        'header tenant_id grpc "x-tenant-id"',
    ],
)
def test_each_kind_of_fact_has_its_line(fact: str) -> None:
    assert fact in lines()


def test_every_requirement_has_its_level() -> None:
    for row in link(load(SPEC)).requirements:
        assert f'requirement {row.id} level "{row.level}"' in lines()


def test_a_requirement_has_a_line_for_its_words_and_none_for_how_they_are_wrapped(tmp_path: Path) -> None:
    spec = copy_spec(tmp_path)
    words = "Messages have the names, fields and field numbers of"
    replace(spec / "requirements/core.yaml", f"{words} ", f"{words}\n\n      ")
    assert surface(link(load(spec))) == surface(link(load(SPEC)))
    replace(spec / "requirements/core.yaml", words, "Messages have the field numbers of")
    reworded = set(surface(link(load(spec))).splitlines()) - set(lines())
    assert [line.rpartition(" ")[0] for line in reworded if line[0] != "#"] == [
        "requirement MIG-MSG-001 text"
    ]


def test_lines_are_sorted_and_unique() -> None:
    assert list(lines()) == sorted(set(lines()))


def test_a_fact_that_moves_within_its_file_keeps_its_line(tmp_path: Path) -> None:
    spec = copy_spec(tmp_path)
    path = spec / PROTO
    path.write_text(path.read_text().replace("message HelloRequest", "\n\n\nmessage HelloRequest"))
    replace(
        spec / "registry/features.yaml", '{id: heartbeat, description: "', '{id: heartbeat, description: "A '
    )
    assert surface(link(load(spec))) == surface(link(load(SPEC)))
