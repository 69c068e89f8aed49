"""Are the header fields that travel outside the body fields of the message header?"""

from __future__ import annotations

from collections.abc import Iterable

from mig_codegen.link.place import Place
from mig_codegen.link.rows import check_unique
from mig_codegen.load import Spec
from mig_codegen.model import HeaderCarrier, Message
from mig_codegen.problem import Problems

HEADER_MESSAGE = "MessageHeader"


def link_carriers(spec: Spec, messages: Iterable[Message], problems: Problems) -> tuple[HeaderCarrier, ...]:
    """Where header fields travel outside the body; each is a field of MessageHeader."""
    rows = list(Place.root(spec.registry("operations")).members("header_carriers"))
    header = next((message for message in messages if message.name == HEADER_MESSAGE), None)
    fields = {field.name for field in header.fields} if header else set()
    check_unique(rows, "field", problems)
    for row in rows:
        if fields and row.text("field") not in fields:
            what = f"the header carrier {row.text('field')!r} is no field of {HEADER_MESSAGE}"
            problems.add(row.source, what, f"write one of {', '.join(sorted(fields))}")
    return tuple(_carrier(row) for row in rows)


def _carrier(row: Place) -> HeaderCarrier:
    places = {binding: row.value.get(binding) for binding in ("http", "grpc", "nats")}
    return HeaderCarrier(field=row.text("field"), source=row.source, **places)
