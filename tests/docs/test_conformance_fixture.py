"""docs/CONFORMANCE-FIXTURE.md is the contract that migd's own fixture keeps."""

from __future__ import annotations

import json

import msgspec

from migd.providers.script import script_capability
from support.document_blocks import ROOT, blocks

DOCUMENT = ROOT / "docs" / "CONFORMANCE-FIXTURE.md"


def test_the_descriptor_and_the_schemas_are_those_that_migd_registers() -> None:
    shown = [json.loads(block.text) for block in blocks(DOCUMENT) if block.words == "example"]
    served = script_capability()
    assert shown == [msgspec.to_builtins(served.descriptor), served.input_schema, served.output_schema]


def test_every_step_has_a_row() -> None:
    schema = script_capability().input_schema
    assert schema is not None
    text = DOCUMENT.read_text()
    assert [step for step in schema["$defs"]["Step"]["properties"] if f'| `{{"{step}": ' not in text] == []
