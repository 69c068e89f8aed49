"""The linker refuses schema files that are not one well-formed type each."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broken_spec import Break, assert_told, named, told

TENANT = "schema/tenant-id.schema.json"
HELLO = "schema/hello-response.schema.json"
QUERY = '    "query": {\n'

ILL_FORMED = [
    Break(
        name="invalid under 2020-12",
        file=TENANT,
        old='"type": "string",',
        new='"type": "text",',
        says="not valid under 2020-12: type: 'text' is not valid under any of the given schemas; "
        "correct the keyword",
    ),
    Break(
        name="invalid under draft-07 only",
        file=HELLO,
        old='"type": "object",',
        new='"type": "object", "definitions": 1,',
        says="not valid under draft-07: definitions: 1 is not of type 'object'; correct the keyword",
    ),
    Break(
        name="title and file name",
        file=TENANT,
        old='"title": "TenantId"',
        new='"title": "TenantName"',
        says="the title 'TenantName' does not go with the file name; "
        "name the file tenant-name.schema.json or change the title",
    ),
    Break(
        name="no title",
        file=TENANT,
        old='"title": "TenantId",',
        new="",
        at="{",
        says="the schema has no title; give it the name of its type",
    ),
    Break(
        name="another dialect",
        file=TENANT,
        old='"https://json-schema.org/draft/2020-12/schema"',
        new='"http://json-schema.org/draft-07/schema#"',
        says="$schema is 'http://json-schema.org/draft-07/schema#'; "
        "write 'https://json-schema.org/draft/2020-12/schema'",
    ),
    Break(
        name="$id that is not the file's",
        file=TENANT,
        old='"$id": "https://mig.dev/schema/v0.1/tenant-id.schema.json"',
        new='"$id": "https://mig.dev/schema/v0.1/tenant.schema.json"',
        says="$id is 'https://mig.dev/schema/v0.1/tenant.schema.json'; "
        "write 'https://mig.dev/schema/v0.1/tenant-id.schema.json'",
    ),
    *(
        Break(
            name=f"the keyword {keyword}",
            file="schema/discover-request.schema.json",
            old='"title": "DiscoverRequest",',
            new=f'"title": "DiscoverRequest",\n  "{keyword}": {value},',
            at=f'"{keyword}"',
            says=f"the keyword '{keyword}' is not read alike by 2020-12 and draft-07 tools; "
            "express it without",
        )
        for keyword, value in (
            ("prefixItems", "[{}]"),
            ("unevaluatedProperties", "false"),
            ("unevaluatedItems", "false"),
            ("dependentRequired", "{}"),
            ("dependentSchemas", "{}"),
        )
    ),
    Break(
        name="a $ref that leads nowhere",
        file=HELLO,
        old='"$ref": "message-header.schema.json"',
        new='"$ref": "message-head.schema.json"',
        at='"header": {',
        says="$ref 'message-head.schema.json' leads nowhere; correct the path or add the target",
    ),
    Break(
        name="a $ref with siblings",
        file=HELLO,
        old='"$ref": "message-header.schema.json"',
        new='"$ref": "message-header.schema.json", "description": "The header."',
        at='"header": {',
        says="$ref 'message-header.schema.json' has siblings (description), which draft-07 readers ignore; "
        "move them into the target",
    ),
    Break(
        name="a property without description",
        file="schema/discover-request.schema.json",
        old=QUERY,
        new='    "nothing": {"type": "string"},\n' + QUERY,
        at='"nothing"',
        says="the property 'nothing' has no description; say what it means",
    ),
    Break(
        name="a pattern that is not anchored",
        file="schema/cursor.schema.json",
        old='"pattern": "^(0|[1-9][0-9]{0,15})$"',
        new='"pattern": "0|[1-9][0-9]{0,15}"',
        says="the pattern '0|[1-9][0-9]{0,15}' is not anchored; write ^...$",
    ),
    Break(
        name="a pattern that not every engine reads",
        file="schema/tenant-id.schema.json",
        old="[A-Za-z0-9_-]",
        new="\\\\p{L}",
        at='"pattern"',
        says="the pattern '^\\\\p{L}{1,64}$' is not one that every regular expression engine reads: "
        "bad escape \\p at position 1; use classes, groups and counts only",
    ),
    Break(
        name="null",
        file="schema/cursor.schema.json",
        old='"type": "string"',
        new='"type": ["string", "null"]',
        at="{",
        says="type is ['string', 'null']; write one of object, array, string, integer, number, boolean",
    ),
    Break(
        name="two types in one file",
        file="schema/discover-request.schema.json",
        old=QUERY,
        new=QUERY + '      "properties": {"text": {"type": "string", "description": "It."}},\n',
        at='"query": {',
        says="'query' defines an object inside another type's file; "
        "give it a schema file of its own and refer to that",
    ),
    Break(
        name="an enum value twice",
        file="schema/frame-kind.schema.json",
        old='"control",',
        new='"control",\n    "control",',
        at='"control",\n    "error"',
        says="'control' is listed twice; keep one of the two",
    ),
    Break(
        name="required names no property",
        file="schema/gap-notice.schema.json",
        old='"required": [\n',
        new='"required": [\n    "colour",\n',
        at='    "colour"',
        says="required names 'colour', which is no property; add the property or drop the name",
    ),
]


@pytest.mark.parametrize("case", ILL_FORMED, ids=named)
def test_an_ill_formed_schema_is_refused_with_its_line(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


def test_a_schema_without_a_description_is_refused(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        path = spec / TENANT
        path.write_text(path.read_text().replace('"description"', '"$comment"'))

    assert told(tmp_path, change) == [f"spec/{TENANT}:1: TenantId has no description; say what it is for"]


def test_a_schema_file_that_nothing_refers_to_is_refused(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        text = (spec / TENANT).read_text()
        text = text.replace("tenant-id", "other-id").replace("TenantId", "OtherId")
        (spec / "schema/other-id.schema.json").write_text(text)
        mapping = spec / "registry/json-mapping.yaml"
        mapping.write_text(mapping.read_text().rstrip() + "\n  OtherId: a bounded string\n")

    found = told(tmp_path, change)
    assert len(found) == 1
    assert found[0].startswith("spec/schema/other-id.schema.json:4: nothing refers to other-id.schema.json; ")
    assert found[0].endswith("remove the file and its row in json_only, or refer to it")


def test_a_title_that_two_files_have_is_refused(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        (spec / "schema/tenant-identity.schema.json").write_text((spec / TENANT).read_text())

    assert (
        "spec/schema/tenant-identity.schema.json:4: the title 'TenantId' is also that of "
        f"spec/{TENANT}; give one of them another title"
    ) in told(tmp_path, change)
