"""Reads spec/ into parsed documents that remember their lines. Decides nothing about what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mig_codegen.load.parse import SourceFile, parse
from mig_codegen.load.proto import ProtoFile, compile_protos
from mig_codegen.load.shape import shape_problems
from mig_codegen.load.tree import spec_files, spec_hash
from mig_codegen.model import Source
from mig_codegen.problem import Problem, SpecError

__all__ = ["ProtoFile", "SourceFile", "Spec", "load"]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Every document of a spec folder, well formed by itself. Each tuple is sorted by file name."""

    root: Path
    hash: str
    protos: tuple[ProtoFile, ...]
    files: tuple[SourceFile, ...]

    def folder(self, name: str) -> tuple[SourceFile, ...]:
        """The parsed files of one folder: "schema", "openapi", ..."""
        return tuple(file for file in self.files if file.name.startswith(f"spec/{name}/"))

    def registry(self, name: str) -> SourceFile:
        """One of the registries: "errors", "features", "json-mapping", "operations"."""
        return next(file for file in self.files if file.name == f"spec/registry/{name}.yaml")

    def file(self, name: str) -> SourceFile | None:
        """The parsed file of this name ("spec/..."), or None."""
        return next((file for file in self.files if file.name == name), None)


def load(root: Path) -> Spec:
    """Read the spec folder `root`.

    Raises SpecError with every missing file, syntax error, row of the wrong shape and complaint of protoc.
    """
    names = spec_files(root)
    problems: list[Problem] = []
    parsed: list[SourceFile] = []
    for name in sorted(name for folder, inside in names.items() if folder != "proto" for name in inside):
        try:
            file = parse(f"spec/{name}", _text(root, name))
        except SpecError as refusal:
            problems.extend(refusal.problems)
        else:
            parsed.append(file)
            problems.extend(shape_problems(file))
    protos = _protos(root, names["proto"], problems)
    if problems:
        raise SpecError(problems)
    return Spec(root=root, hash=spec_hash(root, names), protos=protos, files=tuple(parsed))


def _text(root: Path, name: str) -> str:
    content = (root / name).read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"byte {error.start} is not UTF-8"
        raise SpecError([Problem(Source(file=f"spec/{name}", line=line), what, "save it as UTF-8")]) from None


def _protos(root: Path, names: Iterable[str], problems: list[Problem]) -> tuple[ProtoFile, ...]:
    relative = tuple(name.removeprefix("proto/") for name in names)
    try:
        return compile_protos(root / "proto", "spec/proto/", relative)
    except SpecError as refusal:
        problems.extend(refusal.problems)
        return ()
