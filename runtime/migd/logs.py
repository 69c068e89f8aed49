"""Log lines that machines and people can read: on standard error, one record each, nothing secret.

A record carries its facts in `extra=`; only the fields named here are written, so that a payload or a
credential that strays into a record stays out of the log.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TextIO

# In the order in which they are written. Everything else in a record's `extra` is left out.
FIELDS = (
    "message_id",
    "traceparent",
    "trace_id",
    "span_id",
    "tenant_id",
    "operation",
    "capability",
    "binding",
    "code",
    "reason",
    "peer",
    "signal",
    "grace_s",
    "path",
    "variable",
)
_LONGEST_VALUE = 500
# The end of a traceback has what went wrong; an exception's own text may hold all that a caller sent.
_LONGEST_TRACEBACK = 16_384
_ANSWERED = ("Invalid ", "Unsupported upgrade", "ASGI callable returned without completing handshake")

# What could end a line, colour a terminal or turn text around there, and what UTF-8 can not carry.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, then the fields; a traceback as one string."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **dict(_facts(record)),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-_LONGEST_TRACEBACK:]
        return _visible(json.dumps(line, ensure_ascii=False, default=str))


class TextFormatter(logging.Formatter):
    """`time level event key=value ...`; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        words = [_time(record), f"{record.levelname.lower():7}", _one_line(record.getMessage())]
        words += [f"{name}={_quoted(value)}" for name, value in _facts(record)]
        line = " ".join(words)
        if record.exc_info:
            traceback = self.formatException(record.exc_info)[-_LONGEST_TRACEBACK:]
            line += "\n    " + _visible(traceback).replace("\n", "\n    ")
        return line


def configure_logging(*, level: str, form: str, stream: TextIO | None = None) -> None:
    """Send every record of the process, uvicorn's and Python's warnings too, through one handler.

    `level` is debug, info, warning or error; `form` is text or json.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(is_ours_to_tell)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    # What uvicorn has to say below a warning is its own life, told by the ready line and the drain.
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, root.level))


def is_ours_to_tell(record: logging.LogRecord) -> bool:
    """Anyone can send bytes that are not HTTP or not UTF-8, or a handshake that is refused; that is answered,
    and not our failure.
    """
    return not (record.name == "uvicorn.error" and str(record.msg).startswith(_ANSWERED))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _facts(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    for name in FIELDS:
        value = getattr(record, name, None)
        if value is not None and value != "":
            yield name, value[:_LONGEST_VALUE] if isinstance(value, str) else value


def _visible(text: str) -> str:
    """Escaped as JSON does it, which is no change to what JSON means; line feeds and tabs stay."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _quoted(value: object) -> str:
    """As it is when it is one plain word, else as a JSON string: no value can forge a field or a line."""
    text = str(value)
    return (
        text
        if text.isprintable() and text.isascii() and not set(text) & set(' "=\\') and text
        else json.dumps(text)
    )
