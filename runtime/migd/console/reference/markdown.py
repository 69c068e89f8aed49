"""Descriptions are Markdown, as OpenAPI has it; raw HTML in them is shown as text."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markupsafe import Markup

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


def block(text: str) -> Markup:
    """Paragraphs, lists, tables, code."""
    return _trusted(_PARSER.render(text))


def inline(text: str) -> Markup:
    """One line, without a paragraph around it."""
    return _trusted(_PARSER.renderInline(" ".join(text.split())))


def _trusted(html: str) -> Markup:
    return Markup(html)  # noqa: S704 - the parser escapes whatever is not Markdown
