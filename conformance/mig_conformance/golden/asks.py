"""A row as the request of a binding."""

from __future__ import annotations

from google.protobuf.message import Message

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Ask, Caller
from mig_conformance.golden.protobuf_requests import fill
from mig_conformance.golden.query import header_fields, query_of
from mig_conformance.golden.saying import NotExpressibleError, path_values, tenant_of
from mig_conformance.vectors import Malformed, Valid
from mig_protocol.grpc_service import RPCS, Rpc
from mig_protocol.operations import OPERATIONS, Operation

OPERATION = {operation.id: operation for operation in OPERATIONS}
_RPC = {rpc.operation: rpc for rpc in RPCS}


def ask_of(operation: Operation, row: Valid | Malformed, trial: Trial) -> Ask:
    """The row over the binding that is judged. Raises NotExpressibleError where that can not say it."""
    caller = caller_of(operation, row, trial)
    path = path_values(operation, row, trial.new_id())
    if trial.binding == "grpc":
        return Ask(operation=operation.id, caller=caller, body=protobuf_of(operation, row, path))
    if operation.http_method == "GET":
        fields = query_of(operation, row)
        topic = {"topic": str(fields.pop("topic", path["topic"]))} if "topic" in path else {}
        query = {name: str(value) for name, value in fields.items()}
        carried = header_fields(operation, row)
        return Ask(operation=operation.id, caller=caller, query=query, path=topic, carried=carried)
    # The message beside the body is what drivers learn the type of the answer from.
    said = row.json if isinstance(row.json, dict) else {}
    return Ask(operation=operation.id, caller=caller, message=said, body=row.body, path=path)


def caller_of(operation: Operation, row: Valid | Malformed, trial: Trial) -> Caller:
    """Who may send the row: for the tenant that it names, else for the own one."""
    if operation.rights == "admin":
        return trial.callers.named("admin")
    tenant = tenant_of(row)
    return trial.own if tenant in (None, trial.own.tenant) else trial.callers.of_tenant(str(tenant))


def protobuf_of(operation: Operation, row: Valid | Malformed, path: dict[str, str]) -> bytes:
    """The golden bytes, or those that the malformed row is put into. Raises NotExpressibleError."""
    message = _message(_RPC[operation.id], row)
    for parameter, value in path.items():
        # There is no path: what it would have named stands in the message.
        if not getattr(message, operation.path_fields[parameter]):
            setattr(message, operation.path_fields[parameter], value)
    return message.SerializeToString()


def _message(rpc: Rpc, row: Valid | Malformed) -> Message:
    if isinstance(row, Malformed):
        message: Message = rpc.request_type()
        fill(message, row.json)
        return message
    if row.protobuf is None:
        raise NotExpressibleError("protobuf has no form of it that means the same")
    golden: Message = rpc.request_type.FromString(row.protobuf)
    return golden
