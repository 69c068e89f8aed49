"""Which files make up a spec, and the hash that names their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mig_codegen.model import Source
from mig_codegen.problem import Problem, SpecError

SURFACE = "SURFACE.txt"
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


def spec_hash(root: Path, files: dict[str, tuple[str, ...]]) -> str:
    """sha256 over every file's relative path and content, in order of path, newlines normalised to "\\n"."""
    digest = hashlib.sha256()
    for name in sorted(name for names in files.values() for name in names):
        content = (root / name).read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _at(name: str) -> Source:
    return Source(file=f"spec/{name}".rstrip("/"), line=1)
