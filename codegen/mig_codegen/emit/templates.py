"""Printing: every file below `templates/` becomes the file of the same path, less its `.jinja`.

Templates only print. What they print is computed before, in the views of this package, and an undefined
name is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mig_codegen.emit.prose import cell, docstring

_SUFFIX = ".jinja"


def printed(views: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, text) of every template, rendered with `views`, sorted by path."""
    environment = _environment()
    for name in sorted(environment.list_templates(extensions=[_SUFFIX[1:]])):
        yield name.removesuffix(_SUFFIX), environment.get_template(name).render(views)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mig_codegen", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - what is printed is Python and Markdown, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["py"] = repr
    environment.filters["prose"] = docstring
    environment.filters["cell"] = cell
    return environment
