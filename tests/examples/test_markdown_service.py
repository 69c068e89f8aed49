"""The Markdown service, and the capability that migd makes of it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import ANONYMOUS
from migd.core.provider import Final, Work
from migd.core.schemas import PayloadSchema
from migd.manifest import load_manifest
from migd.providers.http import HttpProvider

from .conftest import ROOT

DOCUMENT = """# One *two*

Three `four` <script>five</script>

| six | seven |
|-----|-------|
| ~~eight~~ | nine |

```python
ten = 11
```

Setext
------
"""


@pytest.fixture
async def render(markdown_service: str) -> AsyncIterator[HttpProvider]:
    manifest = load_manifest(
        ROOT / "examples" / "migd.yaml", {"MARKDOWN_PORT": str(urlsplit(markdown_service).port)}
    )
    (found,) = [
        each.provider for each in manifest.capabilities if each.descriptor.id == "text.markdown.render"
    ]
    assert isinstance(found, HttpProvider)
    await found.start()
    yield found
    await found.close()


def work(**payload: Any) -> Work:
    return Work(
        capability="text.markdown.render",
        tenant_id="acme",
        message_id="m",
        session_id=None,
        traceparent=None,
        payload=payload,
        meta={},
        principal=ANONYMOUS,
        deadline=time.monotonic() + 30,
        deadline_ms=30_000,
        clock=time.monotonic,
    )


async def test_markdown_becomes_html_with_its_headings_and_words(render: HttpProvider) -> None:
    answer = await render.invoke(work(markdown=DOCUMENT))
    assert answer["headings"] == [{"level": 1, "text": "One two"}, {"level": 2, "text": "Setext"}]
    assert answer["words"] == 13
    for part in ("<h1>One <em>two</em></h1>", "<table>", "<s>eight</s>", '<code class="language-python">ten'):
        assert part in answer["html"]
    schema = json.loads((ROOT / "examples" / "schemas" / "render-output.json").read_text())
    assert PayloadSchema(schema).is_valid(answer)


async def test_html_in_the_markdown_stays_text(render: HttpProvider) -> None:
    answer = await render.invoke(work(markdown="<script>x</script>\n\n[a](javascript:x)"))
    assert "<script" not in answer["html"]
    assert "href" not in answer["html"]


async def test_the_streamed_blocks_are_the_document(render: HttpProvider) -> None:
    *blocks, last = [item async for item in render.stream(work(markdown=DOCUMENT))]
    assert isinstance(last, Final)
    found = [block for block in blocks if isinstance(block, dict)]
    assert [block["kind"] for block in found] == ["heading", "paragraph", "table", "fence", "heading"]
    assert [block["block"] for block in found] == [1, 2, 3, 4, 5]
    assert "".join(block["html"] for block in found) == last.payload["html"]
    assert last.payload == await render.invoke(work(markdown=DOCUMENT))


async def test_an_empty_document_is_a_document(render: HttpProvider) -> None:
    nothing = {"html": "", "headings": [], "words": 0}
    assert await render.invoke(work(markdown="")) == nothing
    assert [item async for item in render.stream(work(markdown=""))] == [Final(nothing)]


async def test_what_the_service_refuses_comes_back_with_its_reason(render: HttpProvider) -> None:
    with pytest.raises(MigFault) as refused:
        await render.invoke(work(text="no markdown"))
    assert refused.value.code is MigErrorCode.MIG_INVALID_REQUEST
    assert refused.value.details == {"status": 422, "upstream": {"message": 'expected {"markdown": "..."}'}}


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"5", b'{"markdown": 5}', b"\xff"])
def test_a_body_that_is_not_markdown_in_json_is_422(markdown_service: str, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{markdown_service}/render", data=body, timeout=10)
    with refused.value:
        assert refused.value.code == 422


def test_it_says_that_it_is_up(markdown_service: str) -> None:
    with urllib.request.urlopen(f"{markdown_service}/healthz", timeout=10) as answer:
        assert json.load(answer) == {"status": "ok"}
