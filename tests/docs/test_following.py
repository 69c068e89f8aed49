"""The one who follows the documents: what goes as the document says passes, and whatever does not is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.document_answers import json_difference, text_pattern
from support.document_blocks import ROOT, DocumentError, steps
from support.document_reader import Reader

Follow = Callable[[str], None]
SERVER = "```bash server\nmigd\n```\n"
INVOKE = """\
```bash
curl -s localhost:8080/mig/v0.1/invoke/observatory.models.infer -H 'X-Tenant-ID: acme' -d '{"payload": %s}'
```
"""


@pytest.fixture
def follow(tmp_path: Path) -> Follow:
    """Follow a document with this text."""

    def following(text: str) -> None:
        document = tmp_path / "document.md"
        document.write_text(text)
        folder = tmp_path / "folder"
        folder.mkdir()
        with Reader(folder) as reader:
            for step in steps(document):
                reader.take(step)

    return following


def answer(text: str, language: str = "json") -> str:
    return f"```{language}\n{text}\n```\n"


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ('{"a": 1, "b": [true, null]}', '{"b":[true,null],"a":1}'),
        ('{"a": "…"}', '{"a": {"any": "thing"}}'),
        ('{"a": "x-…-z"}', '{"a": "x-y-z"}'),
        ('{"a": 1, "…": "…"}', '{"a": 1, "b": 2}'),
        ("[0.965]", "[0.9652]"),
        ('{"a": 1} {"b": 2}', '{"a":1}{"b":2}\n'),
    ],
)
def test_json_as_shown_is_accepted(expected: str, printed: str) -> None:
    assert json_difference(expected, printed) is None


@pytest.mark.parametrize(
    ("expected", "printed", "difference"),
    [
        ('{"a": 1}', '{"a": 2}', "$.a is 2, not 1"),
        ('{"a": 1}', '{"a": 1, "b": 2}', "$ has b as well"),
        ('{"a": 1, "b": 2}', '{"a": 1}', "$ lacks b"),
        ('{"a": [1, 2]}', '{"a": [1]}', "$.a is [1], not [1, 2]"),
        ('{"a": ["x-…"]}', '{"a": ["y"]}', '$.a[0] is "y", not "x-…"'),
        ("[0.965]", "[0.967]", "$[0] is 0.967, not 0.965"),
        ("[1]", "[true]", "$[0] is true, not 1"),
        ('{"a": 1}', '{"a": 1}{"a": 1}', "2 JSON documents instead of 1"),
        ('{"a": 1}', "curl: (7)", "not JSON (Expecting value: line 1 column 1 (char 0))"),
    ],
)
def test_json_that_differs_is_told_with_its_place(expected: str, printed: str, difference: str) -> None:
    assert json_difference(expected, printed) == difference


def test_text_is_compared_line_by_line_with_what_is_left_out() -> None:
    pattern = text_pattern("HTTP/1.1 200 OK\ndate: …\n…\nid: 1\n")
    assert pattern.fullmatch("HTTP/1.1 200 OK\ndate: today\na: b\nc: d\nid: 1\n")
    assert pattern.fullmatch("HTTP/1.1 200 OK\ndate: today\nid: 1\n")
    assert not pattern.fullmatch("HTTP/1.1 404 Not Found\ndate: today\nid: 1\n")
    assert not pattern.fullmatch("HTTP/1.1 200 OK\ndate: today\nid: 12\n")


def test_a_gateway_is_started_called_and_compared(follow: Follow) -> None:
    follow(SERVER + INVOKE % '{"input": "x"}' + answer('{"payload": {"result": "ok", "…": "…"}, "…": "…"}'))


def test_an_answer_that_is_not_the_documented_one_is_told_with_its_line(follow: Follow) -> None:
    with pytest.raises(DocumentError, match=r'document\.md:7: \$\.payload\.result is "ok", not "fine"'):
        follow(
            SERVER + INVOKE % '{"input": "x"}' + answer('{"payload": {"result": "fine", "…": "…"}, "…": "…"}')
        )


def test_a_refusal_that_the_document_does_not_show_is_told(follow: Follow) -> None:
    with pytest.raises(DocumentError, match="is refused, which the document does not show"):
        follow(SERVER + INVOKE % "{}")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```bash\nfalse\ntrue\n```\n", "ended with status 1"),
        ("```bash fails\ntrue\n```\n", "ended with status 0"),
        ("```bash\ncurl -s localhost:8080\n```\n", "nothing serves yet"),
        (
            "```bash server\nMIGD_ADDR=nowhere migd\n```\n",
            "no gateway became ready:\nmigd: MIGD_ADDR='nowhere'",
        ),
        (answer("{}"), "an answer without a command before it"),
        ("```sh\ntrue\n```\n", "commands stand in ```bash"),
        ("```\ntrue\n```\n", "commands stand in ```bash"),
        ("```bash sometimes\ntrue\n```\n", "only fails, server, background may follow bash"),
        ("```bash\ntrue\n", "the block is not closed"),
    ],
)
def test_a_document_that_breaks_its_rules_or_its_word_is_told(
    follow: Follow, text: str, complaint: str
) -> None:
    with pytest.raises(DocumentError) as told:
        follow(text)
    assert complaint in str(told.value)


def test_variables_and_files_last_from_one_block_to_the_next(follow: Follow) -> None:
    save = "```python file=greet.py\nimport sys\nprint('hello', sys.argv[1])\n```\n"
    run = "```bash\nNAME='a b'\n```\n```bash\npython greet.py \"$NAME\"\n```\n"
    follow(save + run + answer("hello a b", "text"))


def test_the_second_terminal_goes_on_while_the_first_is_used(follow: Follow) -> None:
    listen = (
        "```bash background\ncurl -sN localhost:8080/mig/v0.1/subscribe/a.b -H 'X-Tenant-ID: acme'\n```\n"
    )
    publish = "```bash\ncurl -s localhost:8080/mig/v0.1/publish/a.b -H 'X-Tenant-ID: acme' -d '{}'\n```\n"
    shown = "```text background\nid: 1\nevent: mig-event\ndata: …\n```\n"
    follow(SERVER + listen + publish + shown)


@pytest.mark.skipif(
    shutil.which("curl") is None, reason="without curl every document is followed with the stand-in"
)
def test_the_documents_can_be_followed_with_the_stand_in_for_curl(tmp_path: Path) -> None:
    with Reader(tmp_path, curl=None) as reader:
        for step in steps(ROOT / "docs" / "USER-GUIDE.md"):
            reader.take(step)
