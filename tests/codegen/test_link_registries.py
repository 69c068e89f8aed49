"""The linker refuses registries and requirements that name what does not exist, or leave out what does."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broken_spec import PROTO, SPEC, Break, assert_told, copy_spec, named, problems, told

ERRORS = "registry/errors.yaml"
FEATURES = "registry/features.yaml"
ROWS = "registry/operations.yaml"

MISTAKES = [
    Break(
        name="an error code without a row",
        file=PROTO,
        old="  MIG_INTERNAL = 11;",
        new="  MIG_INTERNAL = 11;\n  MIG_TEAPOT = 12;",
        at="  MIG_TEAPOT",
        says="MIG_TEAPOT has no row in spec/registry/errors.yaml; add the row or remove the code",
    ),
    Break(
        name="a row without an error code",
        file=ERRORS,
        old="  - code: MIG_INTERNAL",
        new="  - code: MIG_TEAPOT",
        says="MIG_TEAPOT is no value of MigErrorCode in the proto file; add it there or remove the row",
    ),
    Break(
        name="rows out of order",
        file=PROTO,
        old="  MIG_INTERNAL = 11;",
        new="  MIG_INTERNAL = 12;",
        told_in=ERRORS,
        at="  - code: MIG_INTERNAL",
        says="MIG_INTERNAL is row 11 of the table and number 12 in the proto file; order the rows by number",
    ),
    Break(
        name="an error code twice",
        file=ERRORS,
        old="  - code: MIG_INTERNAL",
        new="  - code: MIG_TIMEOUT",
        at="  - code: MIG_TIMEOUT\n    retryable: false",
        says=f"the code 'MIG_TIMEOUT' is also that of spec/{ERRORS}:N; give one of them another",
    ),
    Break(
        name="a gRPC status that does not exist",
        file=ERRORS,
        old="    grpc: DEADLINE_EXCEEDED",
        new="    grpc: TOO_LATE",
        says="'TOO_LATE' is no gRPC status; write one of CANCELLED, UNKNOWN, INVALID_ARGUMENT, "
        "DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, "
        "FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS, "
        "UNAUTHENTICATED",
    ),
    Break(
        name="an error status outside of HTTP's",
        file=ERRORS,
        old="    http: 504",
        new="    http: 604",
        says="errors.6.http: 604 is greater than the maximum of 599; write the row as the others are",
    ),
    Break(
        name="a profile that requires no feature",
        file=FEATURES,
        old="requires: [events],",
        new="requires: [eventing],",
        says="the profile 'evented' requires 'eventing', which is no feature; "
        "write one of backpressure, cancel, deadlines, events, "
        "heartbeat, idempotency, mcp-bridge, replay, streaming, tracing",
    ),
    Break(
        name="a feature twice",
        file=FEATURES,
        old="  - {id: events,",
        new="  - {id: streaming,",
        at='  - {id: streaming, description: "PUBLISH',
        says=f"the id 'streaming' is also that of spec/{FEATURES}:N; give one of them another",
    ),
    Break(
        name="a header carrier that is no header field",
        file=ROWS,
        old="  - {field: session_id,",
        new="  - {field: session,",
        says="the header carrier 'session' is no field of MessageHeader; write one of deadline_ms, "
        "idempotency_key, message_id, meta, mig_version, session_id, tenant_id, timestamp, traceparent",
    ),
]


@pytest.mark.parametrize("case", MISTAKES, ids=named)
def test_a_mistaken_row_is_refused_with_its_line(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


def test_a_proto_file_without_the_error_codes_is_refused(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        text = (spec / PROTO).read_text()
        (spec / PROTO).write_text(text.replace("MigErrorCode", "Failure"))

    messages = [line.partition(": ")[2] for line in told(tmp_path, change)]
    assert "the proto file has no enum MigErrorCode; add it with every code below" in messages


ROW = (
    "  - {{id: {id}, level: MUST, text: It is so., source: section 1, "
    "profile: {profile}, bindings: [{binding}]}}\n"
)


def requirements(folder: Path, *rows: str) -> Path:
    """A copy of the spec with a further file of requirements, whose first row is on line 2."""
    spec = copy_spec(folder)
    (spec / "requirements/zzz.yaml").write_text("requirements:\n" + "".join(rows))
    return spec


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            {"profile": "extended"},
            "MIG-ZZZ-001 names the profile 'extended', which does not exist; "
            "write one of core, evented, full, streaming",
        ),
        (
            {"binding": "carrier-pigeon"},
            "MIG-ZZZ-001 names the bindings 'carrier-pigeon', which does not exist; "
            "write one of grpc, http, mcp, nats, websocket",
        ),
        (
            {"id": "ZZZ-1"},
            "requirements.0.id: 'ZZZ-1' does not match '^MIG-[A-Z]+-[0-9]{3}$'; "
            "write the row as the others are",
        ),
    ],
    ids=["profile", "binding", "id"],
)
def test_a_mistaken_requirement_is_refused(tmp_path: Path, row: dict[str, str], says: str) -> None:
    text = ROW.format(**({"id": "MIG-ZZZ-001", "profile": "core", "binding": "http"} | row))
    assert problems(requirements(tmp_path, text)) == [f"spec/requirements/zzz.yaml:2: {says}"]


def test_a_requirement_id_that_two_rows_have_is_refused(tmp_path: Path) -> None:
    row = ROW.format(id="MIG-ZZZ-001", profile="core", binding="http")
    assert problems(requirements(tmp_path, row, row)) == [
        "spec/requirements/zzz.yaml:3: the id 'MIG-ZZZ-001' is also that of "
        "spec/requirements/zzz.yaml:N; give one of them another"
    ]


UNCITED = "a MUST without its requirement; cite the row of spec/requirements as [MIG-XXX-000], or add one"
UNKNOWN = "[MIG-ZZZ-999] is cited and has no row in spec/requirements; add the row or cite another"

SUBJECT = "address: mig.v0_1.{tenant}.hello\n    title: HELLO\n"
CITATIONS = [
    Break(
        name=f"{kind} in {file}",
        file=file,
        old=old,
        new=f"{old}It MUST{cited} be so. ",
        at=at,
        says=says,
    )
    for kind, cited, says in (("a MUST alone", "", UNCITED), ("an unknown id", " [MIG-ZZZ-999]", UNKNOWN))
    for file, old, at in (
        (PROTO, "\nenum FrameKind {\n  // ", "  FRAME_KIND_UNSPECIFIED"),
        (FEATURES, '{id: heartbeat, description: "', "  - {id: heartbeat"),
        ("openapi/cloud.v0.1.yaml", "operationId: createOrg\n      summary: ", "      summary: It MUST"),
        (
            "asyncapi/mig.v0.1.yaml",
            f"{SUBJECT}    description: ",
            "    description: It MUST",
        ),
    )
]


@pytest.mark.parametrize("case", CITATIONS, ids=named)
def test_a_must_cites_a_requirement_that_exists(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


def test_a_must_in_a_schema_cites_a_requirement(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        path = spec / "schema/gap-notice.schema.json"
        path.write_text(path.read_text().replace('"description": "', '"description": "It MUST be so. ', 1))

    line = (SPEC / "schema/gap-notice.schema.json").read_text().partition('"description"')[0].count("\n") + 1
    assert told(tmp_path, change) == [f"spec/schema/gap-notice.schema.json:{line}: {UNCITED}"]


def test_a_must_that_cites_its_requirement_is_accepted(tmp_path: Path) -> None:
    spec = requirements(tmp_path, ROW.format(id="MIG-ZZZ-001", profile="core", binding="http"))
    path = spec / "schema/gap-notice.schema.json"
    text = path.read_text()
    path.write_text(text.replace('"description": "', '"description": "It MUST be so [MIG-ZZZ-001]. ', 1))
    assert problems(spec) == []
