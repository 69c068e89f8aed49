"""Links between the documents lead somewhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from support.document_blocks import ROOT

_LEFT_OUT = (".venv", ".pytest_cache", "generated")
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*)$", re.MULTILINE)

DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not set(path.relative_to(ROOT).parts) & set(_LEFT_OUT)
)


def prose(path: Path) -> str:
    return _FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to the headings."""
    found: set[str] = set()
    repeats: Counter[str] = Counter()
    for heading in _HEADING.findall(prose(path)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.add(f"{slug}-{repeats[slug]}" if repeats[slug] else slug)
        repeats[slug] += 1
    return found


def broken(path: Path) -> list[str]:
    """The links of the document, within the repository, that lead nowhere."""
    wrong = []
    for link in _LINK.findall(prose(path)):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    assert broken(path) == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text(
        "# A heading\n[x](#a-heading) [y](#another) [z](b.md) [w](https://example.org/b.md)\n"
    )
    assert broken(document) == ["#another", "b.md"]


def test_every_document_and_decision_can_be_found_from_an_index() -> None:
    folders = [ROOT / "docs", ROOT / "docs" / "decisions"]
    for folder in folders:
        index = folder / "README.md"
        linked = {(folder / link.partition("#")[0]).resolve() for link in _LINK.findall(prose(index))}
        assert [path.name for path in folder.glob("*.md") if path != index and path not in linked] == []
