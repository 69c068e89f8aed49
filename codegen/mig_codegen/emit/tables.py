"""What the templates of errors, operations, features and requirements print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mig_codegen.emit.prose import summary
from mig_codegen.model import ErrorRow, Model, Operation


@dataclass(frozen=True, kw_only=True)
class ErrorView:
    """One error code. `http_variants` is a plain dict, as it is printed."""

    code: str
    retryable: bool
    http_status: int
    http_variants: dict[str, int]
    grpc_status: int
    grpc_name: str
    jsonrpc: int
    retry_after: bool
    description: str


@dataclass(frozen=True, kw_only=True)
class OperationView:
    """One operation. `request`, `query` and `response` are names of messages or None."""

    id: str
    method: str
    rpc: str | None
    http_method: str | None
    http_path: str | None
    nats: str | None
    request: str | None
    query: str | None
    response: str | None
    shape: str
    rights: str
    status: int
    path_fields: dict[str, str]
    absent: dict[str, str]
    doc: str


def table_views(model: Model) -> dict[str, Any]:
    """The names that these templates use."""
    operations = [_operation(one) for one in model.operations]
    types = {
        name for one in operations for name in (one.request, one.query, one.response) if name is not None
    }
    return {
        "spec_hash": model.spec_hash,
        "mig_version": mig_version(model),
        "errors": [_error(row) for row in model.errors],
        "operations": operations,
        "operation_messages": sorted(types),
        "header_carriers": model.header_carriers,
        "features": model.features,
        "profiles": model.profiles,
        "requirements": model.requirements,
    }


def mig_version(model: Model) -> str:
    """The version that messages carry: "0.1" for the protobuf package mig.v0_1."""
    return model.proto_package.rpartition(".v")[2].replace("_", ".")


def _error(row: ErrorRow) -> ErrorView:
    return ErrorView(
        code=row.code,
        retryable=row.retryable,
        http_status=row.http_status,
        http_variants=_sorted(row.http_variants),
        grpc_status=row.grpc_status,
        grpc_name=row.grpc_name,
        jsonrpc=row.jsonrpc,
        retry_after=row.retry_after,
        description=row.description,
    )


def _operation(row: Operation) -> OperationView:
    return OperationView(
        id=row.id,
        method=row.method,
        rpc=row.rpc.path if row.rpc else None,
        http_method=row.route.method if row.route else None,
        http_path=row.route.path if row.route else None,
        nats=row.channel.address if row.channel else None,
        request=row.request,
        query=row.query,
        response=None if row.response == "text" else row.response,
        shape=row.shape,
        rights=row.rights,
        status=row.status,
        path_fields=dict(row.path_fields),
        absent=_sorted(row.absent),
        doc=summary(row),
    )


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(mapping.items()))
