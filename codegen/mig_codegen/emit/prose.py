"""Text of the spec as text of the package."""

from __future__ import annotations

import re
import textwrap

from mig_codegen.model import Operation

WIDTH = 106
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`(])")


def summary(operation: Operation) -> str:
    """What an operation does, as one sentence on one line: the route's summary, else how its description
    begins.
    """
    if operation.route is not None and operation.route.summary:
        return f"{operation.route.summary.rstrip('.')}."
    paragraph = " ".join(operation.description.split("\n\n")[0].split())
    return _SENTENCE_END.split(paragraph)[0]


def docstring(text: str, indent: int = 0) -> str:
    """Text for a docstring: reflowed to the line length, safe inside triple quotes."""
    flat = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    lines = textwrap.wrap(flat, WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * indent}".join(lines)


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
