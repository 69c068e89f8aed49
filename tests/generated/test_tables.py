"""The generated tables say what the registries say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from msgspec import UNSET

import mig_protocol
from mig_protocol import messages
from mig_protocol.errors import ERRORS, MigFault
from mig_protocol.messages import ErrorEnvelope, MessageHeader, MigErrorCode
from mig_protocol.operations import FEATURES, HEADER_CARRIERS, OPERATION_BY_ID, OPERATIONS, PROFILES
from mig_protocol.pb import mig_pb2 as pb
from mig_protocol.requirements import REQUIREMENT_BY_ID, REQUIREMENTS
from support.scripted_http import NOW

SPEC = Path(__file__).parents[2] / "spec"


def registry(name: str) -> Any:
    return yaml.safe_load((SPEC / "registry" / f"{name}.yaml").read_text("utf-8"))


def test_the_error_table_is_the_registry() -> None:
    rows = registry("errors")["errors"]
    assert [row["code"] for row in rows] == list(ERRORS) == list(MigErrorCode)
    for number, row in enumerate(rows, start=1):
        found = ERRORS[row["code"]]
        assert found.code is MigErrorCode(row["code"])
        assert (found.retryable, found.http_status) == (row["retryable"], row["http"])
        assert dict(found.http_variants) == row.get("http_variants", {})
        assert (found.grpc_name, found.grpc_status) == (row["grpc"], grpc.StatusCode[row["grpc"]].value[0])
        assert (found.jsonrpc, found.retry_after) == (row["jsonrpc"], row["retry_after"])
        assert found.description == row["description"]
        assert pb.MigErrorCode.Value(row["code"]) == number


def test_the_operation_table_is_the_registry() -> None:
    rows = registry("operations")["operations"]
    assert [row["id"] for row in rows] == [operation.id for operation in OPERATIONS] == list(OPERATION_BY_ID)
    for row in rows:
        found = OPERATION_BY_ID[row["id"]]
        assert (found.method, found.shape, found.rights) == (row["method"], row["shape"], row["rights"])
        assert found.path_fields == row.get("path_fields", {})
        for kind in ("request", "query"):
            assert getattr(found, kind) is (getattr(messages, row[kind]) if kind in row else None)
        assert (found.rpc is None) == row["rpc"].startswith("n/a: ")
        assert (found.nats is None) == row["nats"].startswith("n/a: ")
        assert set(found.absent) == {key for key in ("rpc", "http", "nats") if row[key].startswith("n/a: ")}


def test_features_profiles_and_carriers_are_the_registry() -> None:
    assert dict(FEATURES) == {row["id"]: row["description"] for row in registry("features")["features"]}
    assert [(one.id, list(one.requires)) for one in PROFILES] == [
        (row["id"], row["requires"]) for row in registry("features")["profiles"]
    ]
    assert [
        {key: value for key, value in one._asdict().items() if value} for one in HEADER_CARRIERS
    ] == registry("operations")["header_carriers"]


def test_the_requirements_are_the_rows_with_what_covers_them() -> None:
    files = sorted((SPEC / "requirements").glob("*.yaml"))
    rows = [row for file in files for row in yaml.safe_load(file.read_text("utf-8"))["requirements"]]
    assert [row["id"] for row in rows] == [one.id for one in REQUIREMENTS] == list(REQUIREMENT_BY_ID)
    for row in rows:
        found = REQUIREMENT_BY_ID[row["id"]]
        assert (found.level, found.text, found.section) == (row["level"], row["text"], row["source"])
        assert (found.profile, found.bindings) == (row["profile"], tuple(row["bindings"]))
        assert (found.checks, found.excluded) == (tuple(row.get("checks", ())), row.get("excluded"))
        assert found.unchecked == row.get("unchecked", {})


def test_the_package_knows_its_version() -> None:
    assert mig_protocol.MIG_VERSION == "0.1"
    assert len(mig_protocol.SPEC_HASH) == 64


def test_a_fault_takes_what_it_is_not_told_from_the_table() -> None:
    fault = MigFault(MigErrorCode.MIG_TIMEOUT, "too late")
    assert (fault.retryable, fault.http_status, fault.header) == (True, 504, None)
    assert fault.error().details is UNSET
    assert str(fault) == "MIG_TIMEOUT: too late"


def test_a_fault_may_narrow_the_table() -> None:
    details = {"cancelled": True}
    fault = MigFault(MigErrorCode.MIG_TIMEOUT, "cancelled", retryable=False, details=details)
    assert (fault.error().retryable, fault.error().details) == (False, details)
    assert MigFault(MigErrorCode.MIG_INVALID_REQUEST, "big", variant="too_large").http_status == 413


def test_a_variant_that_the_code_has_not_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no variant 'teapot'"):
        MigFault(MigErrorCode.MIG_INVALID_REQUEST, "short and stout", variant="teapot")


def test_a_fault_comes_back_from_its_envelope() -> None:
    header = MessageHeader(mig_version="0.1", message_id="m", timestamp=NOW, tenant_id="acme")
    sent = MigFault(MigErrorCode.MIG_RATE_LIMITED, "slow down", details={"limit": 5}, retryable=False)
    fault = MigFault.from_envelope(ErrorEnvelope(header=header, error=sent.error()), retry_after_s=7)
    assert (fault.code, fault.message, fault.details) == (sent.code, sent.message, sent.details)
    assert (fault.retryable, fault.header, fault.retry_after_s) == (False, header, 7)


def test_a_fault_keeps_its_meaning_when_it_is_copied_by_exception_machinery() -> None:
    fault = MigFault(MigErrorCode.MIG_NOT_FOUND, "gone")
    assert fault.args == (MigErrorCode.MIG_NOT_FOUND, "gone")
