"""Files of one area each, `area: NAME` and a list of rows, with the line where each row begins."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

import yaml

from mig_conformance.checks.matching import CaseLoader


class Row(NamedTuple):
    """One row, as its file has it."""

    area: str
    file: str
    line: int
    content: dict[str, Any]


def area_files(folder: Traversable) -> list[Traversable]:
    """The files of a folder, by name."""
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name
    )


def rows_of(file: Traversable, member: str, mistake: type[Exception]) -> Iterator[Row]:
    """The rows that `member` lists. What is wrong with the file is raised as a `mistake` that names it."""
    try:
        loader = CaseLoader(file.read_text())
        tree: Any = loader.get_single_node()
        content: Any = loader.construct_document(tree)
    except yaml.YAMLError as error:
        raise mistake(f"{file.name}: {' '.join(str(error).split())}") from error
    area = content["area"]
    if file.name != f"{area}.yaml":
        raise mistake(f"{file.name}: its area is {area!r}")
    listed = next(value for name, value in tree.value if name.value == member)
    for node, row in zip(listed.value, content[member], strict=True):
        yield Row(area, file.name, node.start_mark.line + 1, row)
