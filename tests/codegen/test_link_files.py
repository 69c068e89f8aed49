"""The linker refuses files that it can not read, each with the line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broken_spec import PROTO, Break, assert_told, copy_spec, named, problems, told

UNREADABLE = [
    Break(
        name="YAML syntax",
        file="registry/errors.yaml",
        old="  - code: MIG_UNAUTHORIZED",
        new="  - code: [MIG_UNAUTHORIZED",
        at="    retryable: false\n    http: 401",
        says="not valid YAML: did not find expected ',' or ']'; correct the syntax",
    ),
    Break(
        name="a control character in YAML",
        file="registry/errors.yaml",
        old="  - code: MIG_UNAUTHORIZED",
        new="  - code: MIG_UNAUTHORIZED\x01",
        at="# Every",
        says="not valid YAML: control characters are not allowed; remove the character",
    ),
    Break(
        name="a YAML key that is no word",
        file="registry/features.yaml",
        old="profiles:",
        new="? [a, b]\n: 1\nprofiles:",
        at="? [a, b]",
        says="a mapping key is not a plain word; write the key as a string",
    ),
    Break(
        name="JSON nested beyond reading",
        file="schema/tenant-id.schema.json",
        old='"title": "TenantId",',
        new='"title": "TenantId", "examples": ' + "[" * 100_000 + "]" * 100_000 + ",",
        at="{",
        says="JSON nested too deeply to be read; describe the nesting instead of writing it out",
    ),
    Break(
        name="JSON syntax",
        file="schema/tenant-id.schema.json",
        old='"title": "TenantId",',
        new='"title": "TenantId"',
        at='"description"',
        says="not valid JSON: Expecting ',' delimiter; correct the syntax",
    ),
    Break(
        name="a key twice in YAML",
        file="registry/features.yaml",
        old="profiles:",
        new="features: []\nprofiles:",
        at="features: []",
        says="key 'features' is written twice in one mapping; keep one of the two",
    ),
    Break(
        name="a key twice in JSON",
        file="schema/tenant-id.schema.json",
        old='"title": "TenantId",',
        new='"title": "TenantId",\n  "title": "Tenant",',
        at='"title": "Tenant",',
        says="key 'title' is written twice in one object; keep one of the two",
    ),
    Break(
        name="a constant that JSON does not have",
        file="schema/tenant-id.schema.json",
        old='"title": "TenantId",',
        new='"title": "TenantId", "maximum": NaN,',
        at="{",
        says="not valid JSON: NaN is not a JSON number; write a finite number",
    ),
    Break(
        name="proto syntax",
        file=PROTO,
        old="message HelloResponse {",
        new="message HelloResponse [",
        says='Expected "{".; correct it, protoc does not accept the file',
    ),
    Break(
        name="a proto type that does not exist",
        file=PROTO,
        old="  BindingType selected_binding = 3;",
        new="  BindingKind selected_binding = 3;",
        says='"BindingKind" is not defined.; correct it, protoc does not accept the file',
    ),
    Break(
        name="a field number twice",
        file=PROTO,
        old="  string server_id = 5;",
        new="  string server_id = 4;",
        says='Field number 4 has already been used in "mig.v0_1.HelloResponse" by field "enabled_features". '
        "Next available field number is 5.; correct it, protoc does not accept the file",
    ),
    Break(
        name="a key that a row does not have",
        file="registry/errors.yaml",
        old="    http: 401\n",
        new="    http: 401\n    colour: red\n",
        at="  - code: MIG_UNAUTHORIZED",
        says="errors.1: Additional properties are not allowed ('colour' was unexpected); "
        "write the row as the others are",
    ),
    Break(
        name="a row without a key",
        file="registry/errors.yaml",
        old="    http: 401\n",
        new="",
        at="  - code: MIG_UNAUTHORIZED",
        says="errors.1: 'http' is a required property; write the row as the others are",
    ),
    Break(
        name="a value of the wrong type",
        file="registry/errors.yaml",
        old="    http: 401\n",
        new="    http: four hundred\n",
        says="errors.1.http: 'four hundred' is not of type 'integer'; write the row as the others are",
    ),
]


@pytest.mark.parametrize("case", UNREADABLE, ids=named)
def test_a_file_that_can_not_be_read_is_refused_with_its_line(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert told(tmp_path, lambda spec: (spec / "registry/errors.yaml").write_text("")) == [
        "spec/registry/errors.yaml:1: the document: None is not of type 'object'; "
        "write the row as the others are"
    ]


def test_a_missing_registry_is_refused(tmp_path: Path) -> None:
    assert told(tmp_path, lambda spec: (spec / "registry/errors.yaml").unlink()) == [
        "spec/registry/errors.yaml:1: the file is missing; restore it from version control"
    ]


@pytest.mark.parametrize(
    ("folder", "ending"),
    [("proto", ".proto"), ("schema", ".schema.json"), ("asyncapi", ".yaml"), ("vectors", ".json")],
)
def test_a_missing_folder_is_refused(tmp_path: Path, folder: str, ending: str) -> None:
    assert told(tmp_path, lambda spec: (spec / folder).rename(tmp_path / "aside")) == [
        f"spec/{folder}:1: no {ending} file in this folder; restore it from version control"
    ]


def test_a_missing_spec_is_refused(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert problems(nowhere) == [f"spec:1: there is no folder {nowhere}; name the spec's folder with --spec"]


@pytest.mark.parametrize("name", ["registry/colours.yaml", "schema/notes.txt", "stray.yaml"])
def test_a_file_that_nothing_reads_is_refused(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, lambda spec: (spec / name).write_text("colours: []")) == [
        f"spec/{name}:1: nothing reads this file; "
        "remove it, or give it a place and an ending that the spec has"
    ]


def test_readmes_and_hidden_files_are_left_alone(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        (spec / "schema" / "README.md").write_text("what lives here")
        (spec / ".editorconfig").write_text("root = true")

    assert told(tmp_path, change) == []


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        path = spec / "registry" / "features.yaml"
        path.write_bytes(b"# one\n# caf\xe9\n" + path.read_bytes())

    assert told(tmp_path, change) == ["spec/registry/features.yaml:2: byte 11 is not UTF-8; save it as UTF-8"]


def test_every_unreadable_file_is_told_in_one_run(tmp_path: Path) -> None:
    spec = copy_spec(tmp_path)
    (spec / "registry/errors.yaml").write_text("errors: [")
    (spec / "schema/tenant-id.schema.json").write_text("{")
    (spec / PROTO).write_text("syntax = 'proto3'")
    assert [line.partition(":")[0] for line in problems(spec)] == [
        f"spec/{PROTO}",
        "spec/registry/errors.yaml",
        "spec/schema/tenant-id.schema.json",
    ]
