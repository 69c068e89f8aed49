"""The AsyncAPI document as a page shows it: NATS subjects, and the frames of the WebSocket."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from migd.console.reference.documents import Document, JsonObject
from migd.console.reference.examples import Example, example_text
from migd.console.reference.markdown import block, inline
from migd.console.reference.schemas import SchemaTables, SchemaView, TypeLabel


@dataclass(frozen=True, slots=True)
class MessageView:
    """`action` is what the gateway does with it: receives or sends."""

    name: str
    action: str
    summary: Markup
    type: TypeLabel
    view: SchemaView
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class ChannelView:
    """`address` is a subject or a path; empty for one that is known only at run time."""

    name: str
    title: Markup
    protocol: str
    address: str
    description: Markup
    messages: tuple[MessageView, ...]


class ChannelViews:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._tables = SchemaTables(document)
        self._actions = _actions(document)

    def all(self) -> list[ChannelView]:
        channels = self._document.tree["channels"]
        return [self._channel(name, self._document.resolve(node)) for name, node in channels.items()]

    def _channel(self, name: str, channel: JsonObject) -> ChannelView:
        servers = [self._document.resolve(node) for node in channel.get("servers", ())]
        messages = channel.get("messages", {})
        place = f"#/channels/{name}/messages"
        return ChannelView(
            name=name,
            title=inline(channel.get("summary") or channel.get("title") or name),
            protocol=" and ".join(dict.fromkeys(server["protocol"] for server in servers)),
            address=channel.get("address") or "",
            description=block(channel.get("description", "")),
            messages=tuple(self._message(f"{place}/{key}", node) for key, node in messages.items()),
        )

    def _message(self, reference: str, node: JsonObject) -> MessageView:
        message = self._document.resolve(node)
        label = self._tables.label(message["payload"])
        return MessageView(
            name=message["name"],
            action=self._actions.get(reference, ""),
            summary=inline(message.get("summary", "")),
            type=label,
            view=self._tables.named(label.schema),
            examples=tuple(
                Example(example.get("summary", example.get("name", "")), example_text(example["payload"]))
                for example in message.get("examples", ())
            ),
        )


def _actions(document: Document) -> dict[str, str]:
    """By reference to a channel's message: "received" or "sent", as the gateway sees it."""
    found: dict[str, str] = {}
    for operation in document.tree.get("operations", {}).values():
        verb = "received" if operation["action"] == "receive" else "sent"
        for node in operation.get("messages", ()):
            found[node["$ref"]] = verb
        for node in operation.get("reply", {}).get("messages", ()):
            found[node["$ref"]] = "sent" if verb == "received" else "received"
    return found
