"""The .proto files as protoc understands them, with the line and the comment of every element."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from mig_codegen.model import Source
from mig_codegen.problem import Problem, SpecError

ElementPath = tuple[int, ...]
"""descriptor.proto's way to name an element: (4, 2, 2, 0) is the first field of the third message."""

MESSAGE, ENUM, SERVICE = 4, 5, 6
FIELD, VALUE, METHOD = 2, 2, 2

_PROTOC_LINE = re.compile(r"^(?P<file>[^:\n]+\.proto):(?:(?P<line>\d+):\d+:)? (?P<what>.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class ProtoFile:
    """One .proto file. `name` starts with "spec/"; `descriptor` is protoc's."""

    name: str
    descriptor: FileDescriptorProto
    lines: Mapping[ElementPath, int]
    comments: Mapping[ElementPath, str]

    def at(self, *path: int) -> Source:
        """Where the element is written."""
        return Source(file=self.name, line=self.lines.get(path, 1))

    def comment(self, *path: int) -> str:
        """The comment above (or else behind) the element, as one paragraph; empty if there is none."""
        return self.comments.get(path, "")


def compile_protos(root: Path, prefix: str, names: tuple[str, ...]) -> tuple[ProtoFile, ...]:
    """Run protoc over `names`, relative to `root`. Raises SpecError with protoc's own words and line.

    `prefix` is what `Source.file` has before such a name: "spec/proto/".
    """
    texts = tuple((root / name).read_bytes() for name in names)
    descriptors = FileDescriptorSet.FromString(_descriptor_set(prefix, names, texts))
    by_name = {descriptor.name: descriptor for descriptor in descriptors.file}
    return tuple(_proto_file(prefix + name, by_name[name]) for name in names)


@lru_cache(maxsize=4)
def _descriptor_set(prefix: str, names: tuple[str, ...], texts: tuple[bytes, ...]) -> bytes:
    # Keyed by content and compiled from a copy: the same bytes are compiled once in a process.
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(names, texts, strict=True):
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        output = Path(folder, "descriptors")
        command = [sys.executable, "-m", "grpc_tools.protoc", "--include_source_info"]
        command += ["--proto_path=.", f"--descriptor_set_out={output}", *names]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SpecError(_protoc_problems(prefix, names, done.stderr))
        return output.read_bytes()


def _protoc_problems(prefix: str, names: tuple[str, ...], stderr: str) -> list[Problem]:
    todo = "correct it, protoc does not accept the file"
    found = [
        Problem(Source(file=prefix + match["file"], line=int(match["line"] or 1)), match["what"], todo)
        for match in _PROTOC_LINE.finditer(stderr)
    ]
    return found or [Problem(Source(file=prefix + names[0], line=1), stderr.strip(), todo)]


def _proto_file(name: str, descriptor: FileDescriptorProto) -> ProtoFile:
    locations = descriptor.source_code_info.location
    return ProtoFile(
        name=name,
        descriptor=descriptor,
        lines={tuple(one.path): one.span[0] + 1 for one in locations},
        comments={
            tuple(one.path): " ".join((one.leading_comments or one.trailing_comments).split())
            for one in locations
        },
    )
