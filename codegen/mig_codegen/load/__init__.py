"""Reads spec/ into parsed documents that remember their lines. Decides nothing about what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mig_codegen.load.parse import SourceFile, parse
from mig_codegen.load.proto import ProtoFile, compile_protos
from mig_codegen.load.revision import spec_hash
from mig_codegen.load.shape import shape_problems
from mig_codegen.load.tree import CASES, case_files, spec_files
from mig_codegen.model import Source
from mig_codegen.problem import Problem, SpecError

__all__ = ["ProtoFile", "SourceFile", "Spec", "load"]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Every document of a spec folder, well formed by itself. Each tuple is sorted by file name.

    `cases` are the conformance suite's, empty where the spec was read without the suite.
    """

    root: Path
    hash: str
    protos: tuple[ProtoFile, ...]
    files: tuple[SourceFile, ...]
    cases: tuple[SourceFile, ...]

    def folder(self, name: str) -> tuple[SourceFile, ...]:
        """The parsed files of one folder: "schema", "openapi", ..."""
        return tuple(file for file in self.files if file.name.startswith(f"spec/{name}/"))

    def registry(self, name: str) -> SourceFile:
        """One of the registries: "errors", "features", "json-mapping", "operations"."""
        return next(file for file in self.files if file.name == f"spec/registry/{name}.yaml")

    def file(self, name: str) -> SourceFile | None:
        """The parsed file of this name ("spec/..."), or None."""
        return next((file for file in self.files if file.name == name), None)


def load(root: Path, *, cases: Path | None = None) -> Spec:
    """Read the spec folder `root` and, to link requirements with their checks, the suite's folder `cases`.

    Raises SpecError with every missing file, syntax error, row of the wrong shape and complaint of protoc.
    """
    names = spec_files(root)
    problems: list[Problem] = []
    documents = sorted(name for folder, inside in names.items() if folder != "proto" for name in inside)
    files = _parsed("spec", root, documents, problems)
    suite = _parsed(CASES, cases, case_files(cases), problems) if cases else ()
    protos = _protos(root, names["proto"], problems)
    if problems:
        raise SpecError(problems)
    requirements = [file for file in files if file.name.startswith("spec/requirements/")]
    revision = spec_hash(root, [*documents, *names["proto"]], requirements)
    return Spec(root=root, hash=revision, protos=protos, files=files, cases=suite)


def _parsed(
    called: str, folder: Path, names: Iterable[str], problems: list[Problem]
) -> tuple[SourceFile, ...]:
    parsed: list[SourceFile] = []
    for name in names:
        try:
            file = parse(f"{called}/{name}", _text(folder / name, f"{called}/{name}"))
        except SpecError as refusal:
            problems.extend(refusal.problems)
        else:
            parsed.append(file)
            problems.extend(shape_problems(file))
    return tuple(parsed)


def _text(path: Path, name: str) -> str:
    content = path.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"byte {error.start} is not UTF-8"
        raise SpecError([Problem(Source(file=name, line=line), what, "save it as UTF-8")]) from None


def _protos(root: Path, names: Iterable[str], problems: list[Problem]) -> tuple[ProtoFile, ...]:
    relative = tuple(name.removeprefix("proto/") for name in names)
    try:
        return compile_protos(root / "proto", "spec/proto/", relative)
    except SpecError as refusal:
        problems.extend(refusal.problems)
        return ()
