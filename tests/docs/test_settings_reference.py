"""docs/CONFIGURATION.md says what migd reads."""

from __future__ import annotations

import subprocess
import sys

from migd.setting_rows import SETTINGS
from support.document_blocks import ROOT

DOCUMENT = ROOT / "docs" / "CONFIGURATION.md"


def test_the_settings_reference_is_what_the_settings_table_gives() -> None:
    printed = subprocess.run(
        [sys.executable, "tools/settings_reference.py"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert DOCUMENT.read_text() == printed, (
        "write it anew: .venv/bin/python tools/settings_reference.py > docs/CONFIGURATION.md"
    )


def test_every_setting_has_a_row() -> None:
    text = DOCUMENT.read_text()
    assert [setting.variable for setting in SETTINGS if f"| `{setting.variable}` |" not in text] == []
