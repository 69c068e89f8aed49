"""The golden messages of spec/vectors (their format: spec/vectors/README.md)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Valid:
    """A message that every receiver accepts, as JSON and, where both forms mean the same, as protobuf."""

    name: str
    json: dict[str, Any]
    protobuf: bytes | None

    @property
    def body(self) -> bytes:
        return json.dumps(self.json).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A message with one fault.

    `json` is `None` where `body` is no JSON text. `pointer` is the place of the fault, None where the vector
    does not say. `by_operation`: it decodes well, and the operation refuses it.
    """

    name: str
    json: Any
    body: bytes
    is_json: bool
    code: str
    pointer: str | None
    by_operation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """The vectors of one message type. `operation` takes it as its request or query; None if none does."""

    message: str
    operation: str | None
    valid: tuple[Valid, ...]
    malformed: tuple[Malformed, ...]

    @property
    def to_send(self) -> tuple[Valid | Malformed, ...]:
        """All rows in the order for a running server: what only the operation refuses may need what the
        valid ones have made.
        """
        late = tuple(row for row in self.malformed if row.by_operation)
        return (*self.valid, *(row for row in self.malformed if not row.by_operation), *late)


def packaged_vectors() -> Path:
    """The folder of the golden messages that this suite came with.

    An installed package carries them beside its modules; in a checkout they are where they are edited.
    """
    here = Path(__file__).resolve().parent
    packaged = here / "spec" / "vectors"
    return packaged if packaged.is_dir() else here.parents[1] / "spec" / "vectors"


def load_vectors(folder: Path) -> tuple[Vectors, ...]:
    """Every file of the folder, by name. Raises ValueError where there is none."""
    loaded = tuple(_vectors(json.loads(path.read_text())) for path in sorted(folder.glob("*.json")))
    if not loaded:
        raise ValueError(f"{folder} has no vectors (*.json)")
    return loaded


def _vectors(file: Mapping[str, Any]) -> Vectors:
    return Vectors(
        message=file["message"],
        operation=file["operation"],
        valid=tuple(_valid(row) for row in file["valid"]),
        malformed=tuple(_malformed(row) for row in file["malformed"]),
    )


def _valid(row: Mapping[str, Any]) -> Valid:
    protobuf = base64.b64decode(row["protobuf"]) if "protobuf" in row else None
    return Valid(name=row["name"], json=row["json"], protobuf=protobuf)


def _malformed(row: Mapping[str, Any]) -> Malformed:
    return Malformed(
        name=row["name"],
        json=row.get("json"),
        body=_body(row),
        is_json="json" in row,
        code=row["code"],
        pointer=row.get("pointer"),
        by_operation=row.get("stage") == "operation",
    )


def _body(row: Mapping[str, Any]) -> bytes:
    if "raw_base64" in row:
        return base64.b64decode(row["raw_base64"])
    raw = row.get("raw")
    return json.dumps(row["json"]).encode() if raw is None else str(raw).encode()
