"""docs/CAPABILITIES.md has every key there is. That what it shows works is for tests/docs to see."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from migd.capability import capability
from migd.manifest import ManifestError, load_manifest

_PAGE = (Path(__file__).parents[2] / "docs" / "CAPABILITIES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["http: http://h/", "python: a:b", "entry_point: a", "builtin: reference"])
def test_the_page_has_every_key_of_an_entry(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "migd.yaml"
    path.write_text(f"migd: 1\ncapabilities:\n  - {kind}\n    zzz: 5\n")
    with pytest.raises(ManifestError) as wrong:
        load_manifest(path, {})
    known = str(wrong.value).partition("known here: ")[2].split(", ")
    assert len(known) > 1
    reference = _PAGE[_PAGE.index("## migd.yaml, key by key") :]
    assert [key for key in known if f"`{key}`" not in reference] == []


@pytest.mark.parametrize("limits", ["zzz: 1", "tenants: {acme: {zzz: 1}}"], ids=["the file's", "a tenant's"])
def test_the_page_has_every_key_of_limits(tmp_path: Path, limits: str) -> None:
    path = tmp_path / "migd.yaml"
    path.write_text(f"migd: 1\nlimits: {{{limits}}}\n")
    with pytest.raises(ManifestError) as wrong:
        load_manifest(path, {})
    known = str(wrong.value).partition("known here: ")[2].split(", ")
    section = _PAGE[_PAGE.index("### Limits") :]
    assert [key for key in known if f"{key}` |" not in section] == []


def test_the_page_has_every_argument_of_the_decorator() -> None:
    section = _PAGE[: _PAGE.index("### Refusing")]
    assert [name for name in inspect.signature(capability).parameters if f"| `{name}` |" not in section] == []
