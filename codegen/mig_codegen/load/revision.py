"""Which revision of the protocol do these files say? The hash that names it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mig_codegen.load.parse import SourceFile

_COVERAGE = frozenset({"checks", "excluded", "unchecked"})


def spec_hash(root: Path, names: Iterable[str], requirements: Iterable[SourceFile]) -> str:
    """sha256 over every file's relative path and content, in order of path, newlines normalised to "\\n".

    Of `requirements` only the rows count, less what covers them: another check is another revision of the
    suite, and the protocol is what it was.
    """
    frozen = {file.name.removeprefix("spec/"): _rows(file.value) for file in requirements}
    digest = hashlib.sha256()
    for name in sorted(names):
        content = frozen.get(name) or (root / name).read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _rows(document: Mapping[str, Any]) -> bytes:
    rows = [
        {key: value for key, value in row.items() if key not in _COVERAGE} for row in document["requirements"]
    ]
    return json.dumps(rows, sort_keys=True, separators=(",", ":")).encode()
