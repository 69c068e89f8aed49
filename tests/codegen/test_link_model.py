"""The linked model says what the spec says, the same for the same bytes, and can not be changed."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.model import Model
from support.broken_spec import SPEC, copy_spec


@cache
def model() -> Model:
    """The real spec, linked once: nobody can change it."""
    return link(load(SPEC))


def test_a_field_joins_its_number_and_its_property() -> None:
    field = next(one for one in model().message("MessageHeader").fields if one.name == "deadline_ms")
    assert (field.number, field.proto_type, field.kind, field.repeated) == (8, "uint32", "scalar", False)
    assert (field.request.type.type, field.request.type.resolved["maximum"]) == ("integer", 2**32 - 1)
    assert field.source.file == "spec/proto/mig/v0_1/mig.proto"


def test_a_message_with_directions_has_a_property_for_each() -> None:
    message = model().message("StreamFrame")
    assert message.schemas == ("StreamFrame", "RequestFrame")
    header = next(one for one in message.fields if one.name == "header")
    assert (header.request.type.ref, header.response.type.ref) == ("RequestHeader", "MessageHeader")


def test_an_enum_value_is_spelled_as_json_mapping_says() -> None:
    spelled = {value.number: value.json for value in model().enum("BindingType").values}
    assert spelled == {0: None, 1: "grpc", 2: "nats", 3: "http"}
    assert model().enum("MigErrorCode").values[1].json == "MIG_INVALID_REQUEST"


def test_an_operation_knows_its_places() -> None:
    operation = model().operation("INVOKE")
    assert operation.rpc is not None
    assert operation.rpc.path == "/mig.v0_1.Invocation/Invoke"
    assert operation.route is not None
    assert (operation.route.method, operation.route.path) == ("POST", "/mig/v0.1/invoke/{capability}")
    assert operation.channel is not None
    assert operation.channel.address == "mig.v0_1.{tenant}.invoke.{capability}"
    assert operation.path_fields == {"capability": "capability"}


def test_an_operation_without_a_place_has_the_reason() -> None:
    operation = model().operation("METRICS")
    assert (operation.rpc, operation.channel) == (None, None)
    assert operation.absent == {"rpc": "Prometheus scrapes over HTTP", "nats": "Prometheus scrapes over HTTP"}


def test_a_channel_has_the_queue_group_of_its_requests() -> None:
    queues = {one.id: one.queue for one in model().channels}
    assert (queues["invoke"], queues["events"]) == ("mig-gateways", "mig-gateways")
    assert (queues["cancel"], queues["stream"], queues["websocket"]) == ("", "", "")


def test_a_shared_parameter_is_followed() -> None:
    route = model().operation("INVOKE").route
    assert route is not None
    tenant = next(one for one in route.parameters if one.name == "X-Tenant-ID")
    assert (tenant.place, tenant.required, tenant.type.ref) == ("header", False, "TenantId")


def test_error_rows_have_their_numbers() -> None:
    rows = {row.code: row for row in model().errors}
    assert [row.number for row in model().errors] == list(range(1, 12))
    assert rows["MIG_INVALID_REQUEST"].http_variants["too_large"] == 413
    assert (rows["MIG_TIMEOUT"].grpc_status, rows["MIG_TIMEOUT"].grpc_name) == (4, "DEADLINE_EXCEEDED")


def test_the_model_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        model().spec_hash = ""  # type: ignore[misc]


def test_the_hash_changes_with_any_byte_of_what_defines_the_protocol(tmp_path: Path) -> None:
    spec = copy_spec(tmp_path)
    assert load(spec).hash == load(SPEC).hash
    path = spec / "registry/features.yaml"
    path.write_text(path.read_text() + "# and no more\n")
    assert load(spec).hash != load(SPEC).hash


def test_the_hash_does_not_change_with_newlines_readmes_or_the_surface(tmp_path: Path) -> None:
    spec = copy_spec(tmp_path)
    path = spec / "registry/features.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (spec / "README.md").write_text("what lives here")
    (spec / "SURFACE.txt").write_text("nothing")
    assert load(spec).hash == load(SPEC).hash


def test_everything_comes_in_the_same_order_under_another_hash_seed() -> None:
    code = """
import sys
from pathlib import Path
from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.surface import surface
model = link(load(Path(sys.argv[1])))
print(surface(model), [schema.title for schema in model.schemas], model.channels)
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", code, str(SPEC)],
            env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed, locale in (("1", "C"), ("2", "C.UTF-8"))
    }
    assert len(said) == 1
