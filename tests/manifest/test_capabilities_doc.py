"""docs/CAPABILITIES.md: its files load, its commands run, its answers are true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from migd.manifest import ManifestError, load_manifest
from support.curl import read_curl
from support.running_migd import MigdProcess, start_migd

_PAGE = (Path(__file__).parents[2] / "docs" / "CAPABILITIES.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    found = [text for language, text in _BLOCKS if language == kind]
    assert found
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The Python files of the page, and a manifest that serves all of them."""
    names = []
    for text in blocks("python"):
        name = text.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(text, encoding="utf-8")
        (declared,) = re.findall(r"@capability\(.*\)\nasync def (\w+)", text)
        names.append(f"  - python: {name.removesuffix('.py')}:{declared}\n")
    (tmp_path / "migd.yaml").write_text("migd: 1\ncapabilities:\n" + "".join(names), encoding="utf-8")
    return tmp_path


@pytest.fixture
def migd(folder: Path) -> Any:
    process = start_migd("--config", "migd.yaml", cwd=folder)
    try:
        process.wait_ready()
        yield process
    finally:
        process.stop()


def invoke(migd: MigdProcess, capability: str, payload: str) -> Any:
    url = f"{migd.url}/mig/v0.1/invoke/{capability}"
    return json.loads(
        read_curl(f"curl {url} -H 'X-Tenant-ID: acme' -d '{{\"payload\": {payload}}}'").send()[1]
    )


def test_the_capabilities_of_the_page_answer_as_it_says(migd: MigdProcess) -> None:
    (call,) = [text for text in blocks("sh") if text.startswith("curl")]
    status, answer = read_curl(call.replace("http://127.0.0.1:8080", migd.url)).send()
    assert status == 200
    assert '"payload":{"words":2}' in answer
    assert invoke(migd, "shop.stock", '{"number": 1}')["payload"] == {"pieces": 7}
    refused = invoke(migd, "shop.stock", '{"number": 2}')["error"]
    assert (refused["code"], refused["details"]) == ("MIG_NOT_FOUND", {"known": [1]})
    assert invoke(migd, "people.greet", '{"name": "Ada", "language": "nl"}')["payload"] == {
        "text": "Hallo Ada"
    }
    assert (
        invoke(migd, "people.greet", '{"name": "Ada", "language": "xx"}')["error"]["code"] == "MIG_INTERNAL"
    )


def test_the_check_of_the_page_prints_what_the_page_says(folder: Path) -> None:
    (folder / "migd.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    (command,) = [text for text in blocks("sh") if text.startswith("migd")]
    finished = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert finished.stdout == blocks("text")[0]


def test_the_mistake_of_the_page_is_said_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mistaken = "migd: 1\ncapabilities:\n  - http: http://h/\n    id: a.b\n    timout_ms: 5\n"
    Path("migd.yaml").write_text(mistaken, encoding="utf-8")
    with pytest.raises(ManifestError) as wrong:
        load_manifest(Path("migd.yaml"), {})
    assert f"migd: {wrong.value}\n" == blocks("text")[1]


def test_every_manifest_of_the_page_is_valid(folder: Path) -> None:
    for text in blocks("yaml"):
        if "entry_point:" not in text:
            (folder / "migd.yaml").write_text(text, encoding="utf-8")
            load_manifest(folder / "migd.yaml", {})
    (offered,) = blocks("toml")
    (named,) = tomllib.loads(offered)["project"]["entry-points"]["migd.capabilities"]
    assert any(f"entry_point: {named}\n" in text for text in blocks("yaml"))


def test_the_page_has_every_key_of_an_http_entry(tmp_path: Path) -> None:
    path = tmp_path / "migd.yaml"
    path.write_text("migd: 1\ncapabilities:\n  - http: http://h/\n    id: a.b\n    zzz: 5\n")
    with pytest.raises(ManifestError) as wrong:
        load_manifest(path, {})
    known = str(wrong.value).partition("known here: ")[2].split(", ")
    assert len(known) > 10
    reference = _PAGE[_PAGE.index("## migd.yaml, key by key") :]
    assert [key for key in known if f"`{key}`" not in reference] == []
