"""A report as JSON, and back. report.schema.json is its JSON Schema, for whoever reads it elsewhere."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import msgspec

from mig_conformance.report.model import FORMAT, Report


class ReportError(Exception):
    """A file is no report; the text is one line."""


def to_json(report: Report) -> bytes:
    """UTF-8, indented."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def from_json(data: bytes) -> Report:
    """Raises ReportError."""
    try:
        report = msgspec.json.decode(data, type=Report)
    except msgspec.MsgspecError as error:
        raise ReportError(f"no report of this suite: {error}") from None
    if report.format != FORMAT:
        raise ReportError(f"a report of format {report.format}; this suite reads format {FORMAT}")
    return report


def report_schema() -> dict[str, Any]:
    """The JSON Schema that is packaged."""
    text = files("mig_conformance.report").joinpath("report.schema.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def schema_of_model() -> dict[str, Any]:
    """What the packaged one has to be."""
    title = {"title": "A conformance report of MIG 0.1"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **title, **msgspec.json.schema(Report)}
