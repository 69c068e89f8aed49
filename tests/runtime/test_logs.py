"""Log lines: one record each, the facts in fields, nothing that was not meant to be told."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from migd.logs import configure_logging

Configure = Callable[[str, str], io.StringIO]


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Logging as migd sets it up, into a text that the test reads."""
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn")
    before = root.handlers[:], root.level, uvicorn.level

    def configured(form: str, level: str) -> io.StringIO:
        stream = io.StringIO()
        configure_logging(level=level, form=form, stream=stream)
        return stream

    yield configured
    logging.captureWarnings(False)
    root.handlers[:], root.level, uvicorn.level = before
    root.setLevel(before[1])


def test_a_json_line_has_the_time_the_level_the_event_and_the_fields(configure: Configure) -> None:
    stream = configure("json", "info")

    logging.getLogger("migd.x").info(
        "INVOKE failed", extra={"message_id": "m-1", "traceparent": "00-a", "code": "C"}
    )

    line = json.loads(stream.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "info",
        "logger": "migd.x",
        "event": "INVOKE failed",
        "message_id": "m-1",
        "traceparent": "00-a",
        "code": "C",
    }


def test_a_text_line_has_them_too(configure: Configure) -> None:
    stream = configure("text", "info")

    logging.getLogger("migd.x").warning(
        "down", extra={"signal": "SIGTERM", "grace_s": 10.0, "reason": "as told"}
    )

    assert re.fullmatch(
        r'\S+Z warning down reason="as told" signal=SIGTERM grace_s=10\.0\n', stream.getvalue()
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_no_known_field_is_not_written(configure: Configure, form: str) -> None:
    stream = configure(form, "debug")

    logging.getLogger("migd.x").info("called", extra={"payload": "hunter2", "authorization": "hunter2"})

    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_can_forge_a_line(configure: Configure, form: str) -> None:
    stream = configure(form, "info")

    logging.getLogger("migd.x").info(
        "a\nb", extra={"message_id": "x\ninfo forged code=1", "reason": 'y" code=2'}
    )

    assert stream.getvalue().count("\n") == 1
    assert " code=2" not in stream.getvalue() or '\\" code=2' in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_does_not_grow_with_what_a_caller_sent(configure: Configure, form: str) -> None:
    stream = configure(form, "info")

    sent = "x" * 1_000_000
    try:
        raise ValueError(f"{sent} was the payload, and here is why it failed")
    except ValueError:
        logging.getLogger("migd.x").exception("INVOKE failed", extra={"reason": sent, "peer": sent})

    assert len(stream.getvalue()) < 20_000
    assert "here is why it failed" in stream.getvalue()


def test_a_traceback_is_one_field_in_json_and_indented_in_text(configure: Configure) -> None:
    for form in ("json", "text"):
        stream = configure(form, "info")
        try:
            raise ValueError("inner")
        except ValueError:
            logging.getLogger("migd.x").exception("INVOKE failed")
        first, *rest = stream.getvalue().splitlines()
        if form == "json":
            assert rest == []
            assert "ValueError: inner" in json.loads(first)["exception"]
        else:
            assert all(line.startswith("    ") for line in rest)
            assert rest[-1].strip() == "ValueError: inner"


def test_the_level_is_the_least_that_is_written(configure: Configure) -> None:
    stream = configure("text", "warning")

    logging.getLogger("migd.x").info("quiet")
    logging.getLogger("migd.x").warning("loud")

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_what_a_client_did_wrong_below_http_is_not_logged_as_our_failure(configure: Configure) -> None:
    stream = configure("text", "debug")

    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n")

    assert "Invalid HTTP" not in stream.getvalue()
    assert "Exception in ASGI application" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_nothing_that_a_caller_sent_ends_a_line_or_drives_a_terminal(configure: Configure, form: str) -> None:
    stream = configure(form, "info")
    sent = "a\rb\x1b[2Jc\x85d\u2028e\u202ef\x7fg\x00h\ud800i"

    try:
        raise ValueError(sent)
    except ValueError:
        logging.getLogger("migd.x").exception(sent, extra={"reason": sent})

    text = stream.getvalue()
    assert [character for character in text if not character.isprintable() and character != "\n"] == []
    assert text.encode().count(b"\\u001b[2J") >= 3
    lines = text.splitlines()
    assert len(lines) == 1 or all(line.startswith("    ") for line in lines[1:])
