"""Which files make up a spec, and which say what the conformance suite checks of it."""

from __future__ import annotations

from pathlib import Path

from mig_codegen.model import Source
from mig_codegen.problem import Problem, SpecError

SURFACE = "SURFACE.txt"
CASES = "conformance/mig_conformance/cases"
"""Where the suite's cases are in the repository, and what the names of these files start with."""

REGISTRIES = ("errors", "features", "json-mapping", "operations")

# Folder -> the ending that its files must have.
FOLDERS = {
    "proto": ".proto",
    "schema": ".schema.json",
    "openapi": ".yaml",
    "asyncapi": ".yaml",
    "registry": ".yaml",
    "requirements": ".yaml",
    "vectors": ".json",
}


def spec_files(root: Path) -> dict[str, tuple[str, ...]]:
    """The files of each folder, relative to `root`, sorted. Raises SpecError if a folder or file is missing
    or a file is of no known kind."""
    if not root.is_dir():
        raise SpecError(
            [Problem(_at(""), f"there is no folder {root}", "name the spec's folder with --spec")]
        )
    files = {folder: _files_of(root, folder) for folder in FOLDERS}
    problems = [
        Problem(_at(folder), f"no {ending} file in this folder", "restore it from version control")
        for folder, ending in FOLDERS.items()
        if not any(name.endswith(ending) for name in files[folder])
    ]
    problems += [
        Problem(_at(f"registry/{name}.yaml"), "the file is missing", "restore it from version control")
        for name in REGISTRIES
        if f"registry/{name}.yaml" not in files["registry"]
    ]
    problems += [Problem(_at(name), *_MISPLACED) for name in _misplaced(root, files)]
    if problems:
        raise SpecError(problems)
    return files


_MISPLACED = ("nothing reads this file", "remove it, or give it a place and an ending that the spec has")


def _files_of(root: Path, folder: str) -> tuple[str, ...]:
    paths = (path for path in (root / folder).rglob("*") if path.is_file() and not _is_aside(path))
    return tuple(sorted(path.relative_to(root).as_posix() for path in paths))


def _is_aside(path: Path) -> bool:
    return path.name.startswith((".", "README"))


def _misplaced(root: Path, files: dict[str, tuple[str, ...]]) -> list[str]:
    inside = [
        name
        for folder, names in files.items()
        for name in names
        if not name.endswith(FOLDERS[folder]) or (folder == "registry" and Path(name).stem not in REGISTRIES)
    ]
    beside = [
        path.name for path in root.iterdir() if path.name not in (*FOLDERS, SURFACE) and not _is_aside(path)
    ]
    return inside + beside


def case_files(folder: Path) -> tuple[str, ...]:
    """The names of the files of cases in `folder`, sorted. Raises SpecError if there is none."""
    names = tuple(sorted(path.name for path in folder.glob("*.yaml") if not _is_aside(path)))
    if not names:
        what = "no .yaml file in this folder"
        raise SpecError([Problem(Source(file=CASES, line=1), what, "restore it from version control")])
    return names


def _at(name: str) -> Source:
    return Source(file=f"spec/{name}".rstrip("/"), line=1)
