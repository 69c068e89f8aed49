"""Has every message golden vectors, valid and malformed, that name what exists?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_unique
from mig_codegen.link.schemas import kebab
from mig_codegen.load import SourceFile, Spec
from mig_codegen.model import ErrorRow, Message, Operation, Schema, Vectors
from mig_codegen.problem import Problems

# Fewer prove little; the conformance suite runs each of them.
LEAST = {"valid": 1, "malformed": 3}


def link_vectors(
    spec: Spec,
    schemas: Mapping[str, Schema],
    messages: Iterable[Message],
    operations: Iterable[Operation],
    errors: Iterable[ErrorRow],
    problems: Problems,
) -> tuple[Vectors, ...]:
    """Every file of vectors, in order of name; each form of each protobuf message has one."""
    files = spec.folder("vectors")
    ids = {operation.id for operation in operations}
    codes = {row.code for row in errors}
    for file in files:
        _check_names(file, schemas, ids, problems)
        for key, least in LEAST.items():
            _check_rows(file, key, least, codes, problems)
    covered = {file.value["message"] for file in files}
    for message in messages:
        for title in message.schemas:
            if title not in covered:
                todo = f"add spec/vectors/{kebab(title)}.json"
                problems.add(message.source, f"{title} has no vectors", todo)
    return tuple(Vectors(message=file.value["message"], file=file.name, value=file.value) for file in files)


def _check_names(
    file: SourceFile, schemas: Mapping[str, Schema], operations: set[str], problems: Problems
) -> None:
    message, operation = file.value["message"], file.value["operation"]
    if message not in schemas:
        what = f"the vectors are of {message!r}, which has no schema file"
        problems.add(file.at("message"), what, "correct the name or add the schema")
    elif file.name != f"spec/vectors/{kebab(message)}.json":
        what = f"the message {message!r} does not go with the file name"
        problems.add(file.at("message"), what, f"name the file {kebab(message)}.json")
    if operation is not None and operation not in operations:
        what = f"the vectors are for {operation!r}, which is no operation"
        problems.add(file.at("operation"), what, "write an id of spec/registry/operations.yaml, or null")


def _check_rows(file: SourceFile, key: str, least: int, codes: set[str], problems: Problems) -> None:
    rows = list(Place.root(file).members(key))
    if len(rows) < least:
        message = file.value["message"]
        what = f"{message} has {len(rows)} {key} vectors"
        problems.add(file.at(key), what, f"write {least} at the least")
    check_unique(rows, "name", problems)
    for row in rows:
        code = row.value.get("code")
        if code is not None and code not in codes:
            what = f"the vector {row.text('name')!r} expects {code!r}, which is no error code"
            problems.add(row.file.at(*row.path, "code"), what, "write a code of spec/registry/errors.yaml")
