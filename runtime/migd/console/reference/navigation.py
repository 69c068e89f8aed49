"""Where a reader of the reference can go: its pages, and the sections of the one that is open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from migd.console.reference.channels import ChannelView
from migd.console.reference.documents import Document
from migd.console.reference.operations import OperationView

_PREFIX = "MIG v0.1 "


@dataclass(frozen=True, slots=True)
class PageLink:
    href: str
    label: str
    here: bool


@dataclass(frozen=True, slots=True)
class SectionLink:
    """`verb` is an HTTP method, empty for a section that is no operation."""

    anchor: str
    label: str
    verb: str = ""


def page_links(documents: Iterable[Document], asyncapi: Document, here: str) -> list[PageLink]:
    """`here` is the part of the open page's path that follows /docs."""
    labels = [("", "Overview")]
    labels += [(f"/{document.name}", short_title(document)) for document in documents]
    labels += [("/channels", short_title(asyncapi)), ("/errors", "Errors")]
    return [PageLink(f"/docs{path}", label, path == here) for path, label in labels]


def short_title(document: Document) -> str:
    """Without what all the titles begin with."""
    title = str(document.tree["info"]["title"]).removeprefix(_PREFIX)
    return title[:1].upper() + title[1:]


def operation_links(operations: Iterable[OperationView]) -> list[SectionLink]:
    links = [SectionLink(view.id, view.id, view.verb) for view in operations]
    return [*links, SectionLink("refusals", "Refusals"), SectionLink("schemas", "Schemas")]


def channel_links(channels: Iterable[ChannelView]) -> list[SectionLink]:
    return [*(SectionLink(view.name, view.name) for view in channels), SectionLink("schemas", "Schemas")]
