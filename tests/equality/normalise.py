"""What may differ between transports, taken out of what was observed. Nothing else is touched.

- the names of the two tenants of the run become OWN and OTHER;
- a UUID made by the gateway becomes the step in which it was first seen and its number in it, so that the
  same id is the same text wherever it comes back;
- in the audit trail, which has ids that a binding did not show, all of these are alike, and so are INVOKE and
  STREAM: some lanes ask for frames where others ask for an answer;
- the times at which the gateway made a message or an event become TIME;
- `selected_binding` that is the binding the call came in on, where the call asked for none, becomes ARRIVED;
- a refusal's message begins with the type of the message that was not valid, which is another one in a frame;
- what HTTP calls the path is a subject on NATS;
- a message that is not valid was not read, as far as its header goes: which header comes with its refusal is
  the transport's business.
"""

from __future__ import annotations

import json
import re
from typing import Any

from equality.asked import OTHER, OWN, Asked, Who
from equality.outcome import UNSEEN, Outcome

TIME = "<time>"
UNREAD = "<the header of a message that was not read>"
ARRIVED = "<the binding it came in on>"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_MESSAGE_TYPE = re.compile(r"^[A-Z][A-Za-z]+(?= is )")


class Normaliser:
    """One for each run over one binding: it remembers which id was seen when."""

    def __init__(self, who: Who, arrived_on: str) -> None:
        self._who = who
        self._arrived_on = arrived_on
        self._ids: dict[str, str] = {}
        self._step = 0
        self._made = 0

    def next_step(self) -> None:
        """Ids that are new from here on belong to the next step."""
        self._step += 1
        self._made = 0

    def __call__(self, outcome: Outcome, asked: Asked) -> Outcome:
        """The same outcome, without what may differ."""
        answer = outcome.answer
        if isinstance(answer, dict) and answer.get("selected_binding") == self._arrived_on:
            asked_for = asked.body.get("requested_bindings")
            answer = answer if asked_for else {**answer, "selected_binding": ARRIVED}
        return Outcome(
            answer=self.value(answer),
            beside=self.value(outcome.beside),
            error=self.value(_untyped(outcome.error)),
            error_header=UNREAD if _is_malformed(outcome.error) else self.value(outcome.error_header),
            retry_after=outcome.retry_after,
            frames=self.value(outcome.frames),
            events=self.value(outcome.events),
        )

    def value(self, value: Any) -> Any:
        """Any JSON value that a gateway gave."""
        if value is UNSEEN:
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            # In one order, since ids are numbered as they are met.
            return {self._text(key): self._member(key, item) for key, item in sorted(value.items())}
        return value

    def unnamed(self, text: str) -> str:
        """A text of the audit trail."""
        return "INVOKE" if text == "STREAM" else self._tenants(_UUID.sub("<id>", text))

    def _member(self, key: str, value: Any) -> Any:
        if key == "error":
            value = _untyped(value)
        if key in ("timestamp", "published_at") and isinstance(value, str) and _RFC3339.fullmatch(value):
            return TIME
        return self.value(value)

    def _text(self, text: str) -> str:
        return _UUID.sub(lambda found: self._alias(found[0]), self._tenants(text))

    def _tenants(self, text: str) -> str:
        return text.replace(self._who.own, f"<{OWN}>").replace(self._who.other, f"<{OTHER}>")

    def _alias(self, made: str) -> str:
        if made not in self._ids:
            self._made += 1
            self._ids[made] = f"<id {self._step}.{self._made}>"
        return self._ids[made]


def _is_malformed(error: Any) -> bool:
    details = error.get("details") if isinstance(error, dict) else None
    return isinstance(details, dict) and "violations" in details and "schema_uri" not in details


def _untyped(error: Any) -> Any:
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return error
    named = json.dumps({**error, "message": _MESSAGE_TYPE.sub("<message>", error["message"])})
    plain: Any = json.loads(named.replace("the path says", "the subject says"))
    return plain
