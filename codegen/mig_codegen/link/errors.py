"""Has every error code one row, in the order of its protobuf number?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_unique
from mig_codegen.load import Spec
from mig_codegen.model import Enum, ErrorRow
from mig_codegen.problem import Problems

ERROR_ENUM = "MigErrorCode"

# https://grpc.github.io/grpc/core/md_doc_statuscodes.html
GRPC_STATUSES: Mapping[str, int] = {
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}


def link_errors(spec: Spec, enums: Iterable[Enum], problems: Problems) -> tuple[ErrorRow, ...]:
    """The error table, each code with the number that the proto file gives it."""
    root = Place.root(spec.registry("errors"))
    enum = next((enum for enum in enums if enum.name == ERROR_ENUM), None)
    if enum is None:
        problems.add(root.source, f"the proto file has no enum {ERROR_ENUM}", "add it with every code below")
        return ()
    numbers = {value.name: value.number for value in enum.values if value.number}
    rows = list(root.members("errors"))
    for value in enum.values:
        if value.number and value.name not in {row.value["code"] for row in rows}:
            what = f"{value.name} has no row in spec/registry/errors.yaml"
            problems.add(value.source, what, "add the row or remove the code")
    check_unique(rows, "code", problems)
    return tuple(_error(row, i, numbers, problems) for i, row in enumerate(rows, start=1))


def _error(row: Place, expected: int, numbers: Mapping[str, int], problems: Problems) -> ErrorRow:
    code, grpc = row.value["code"], row.value["grpc"]
    number = numbers.get(code, 0)
    if not number:
        problems.add(
            row.source,
            f"{code} is no value of {ERROR_ENUM} in the proto file",
            "add it there or remove the row",
        )
    elif number != expected:
        what = f"{code} is row {expected} of the table and number {number} in the proto file"
        problems.add(row.source, what, "order the rows by number")
    if grpc not in GRPC_STATUSES:
        source = row.file.at(*row.path, "grpc")
        problems.add(source, f"{grpc!r} is no gRPC status", f"write one of {', '.join(GRPC_STATUSES)}")
    return ErrorRow(
        code=code,
        number=number,
        retryable=row.value["retryable"],
        http_status=row.value["http"],
        http_variants=row.value.get("http_variants", {}),
        grpc_status=GRPC_STATUSES.get(grpc, 0),
        grpc_name=grpc,
        jsonrpc=row.value["jsonrpc"],
        retry_after=row.value["retry_after"],
        description=row.text("description"),
        source=row.source,
    )


def error_statuses(errors: Iterable[ErrorRow]) -> Iterator[int]:
    """Every HTTP status that some error code may take."""
    for row in errors:
        yield row.http_status
        yield from row.http_variants.values()
