"""The breaking-change check explains what a spec takes away from the users of a release."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mig_codegen.breaking import breaks
from mig_codegen.cli import main
from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.surface import surface
from support.broken_spec import SPEC, copy_spec, replace

Change = Callable[[list[str]], list[str]]

RELEASED = """\
# a comment
body INVOKE required false
body PUBLISH required true
channel-replies invoke.InvokeResponse
error MIG_TIMEOUT http 504
error MIG_TIMEOUT number 7
feature streaming
field InvokeRequest.capability number 2
message InvokeRequest request "InvokeRequest"
operation INVOKE http "POST /invoke"
operation INVOKE rights "caller"
parameter INVOKE.header.X-Tenant-ID required false
property InvokeRequest.capability maxLength 255
property InvokeRequest.capability required false
property InvokeRequest.mode enum ["fast","slow"]
property InvokeResponse.capability maxLength 255
property InvokeResponse.capability required true
property InvokeResponse.payload pattern "^a$"
requirement MIG-INV-001 level "SHOULD"
requirement MIG-INV-001 profile "core"
requirement MIG-INV-001 text "sha256:00ff"
requirement MIG-INV-001 bindings ["http"]
schema InvokeRequest travels ["request"]
schema InvokeResponse travels ["response"]
status INVOKE.200 application/json "InvokeResponse"
status INVOKE.504 application/json "ErrorEnvelope"
"""


def without(start: str) -> str:
    """The released surface less the lines that begin like this."""
    assert start in RELEASED
    return "".join(line for line in RELEASED.splitlines(keepends=True) if not line.startswith(start))


def changed(old: str, new: str) -> str:
    """The released surface with one line replaced."""
    assert RELEASED.count(f"{old}\n") == 1
    return RELEASED.replace(f"{old}\n", f"{new}\n")


BREAKS = {
    "a number": (
        changed("error MIG_TIMEOUT number 7", "error MIG_TIMEOUT number 8"),
        ["error MIG_TIMEOUT: number was 7, is 8: peers of the release expect what it was"],
    ),
    "a field": (
        without("field InvokeRequest.capability"),
        ["field InvokeRequest.capability is gone: peers that set or read it lose its value"],
    ),
    "an error": (
        without("error MIG_TIMEOUT"),
        [
            "error MIG_TIMEOUT is gone: clients that handle the code no longer see it, "
            "and old servers still send it"
        ],
    ),
    "a feature": (without("feature"), ["feature streaming is gone: HELLO no longer agrees on it"]),
    "a status": (
        without("status INVOKE.504"),
        ["status INVOKE.504 is gone: clients that handle it wait for something that never comes"],
    ),
    "a reply": (
        without("channel-replies"),
        ["channel-replies invoke.InvokeResponse is gone: whoever uses it breaks"],
    ),
    "an operation, told once and not for all that goes with it": (
        "\n".join(line for line in RELEASED.splitlines() if " INVOKE" not in line),
        ["operation INVOKE is gone: its callers are refused"],
    ),
    "a route": (
        changed('operation INVOKE http "POST /invoke"', 'operation INVOKE http "PUT /invoke"'),
        [
            'operation INVOKE: http was "POST /invoke", is "PUT /invoke": '
            "peers of the release expect what it was"
        ],
    ),
    "the message of a status": (
        changed(
            'status INVOKE.200 application/json "InvokeResponse"',
            'status INVOKE.200 application/json "StreamAccepted"',
        ),
        [
            'status INVOKE.200: application/json was "InvokeResponse", is "StreamAccepted": '
            "peers of the release expect what it was"
        ],
    ),
    "a stricter requirement": (
        changed('requirement MIG-INV-001 level "SHOULD"', 'requirement MIG-INV-001 level "MUST"'),
        ['requirement MIG-INV-001: level was "SHOULD", is "MUST": peers of the release expect what it was'],
    ),
    "a requirement": (
        without("requirement MIG-INV-001"),
        ["requirement MIG-INV-001 is gone: implementers and the conformance suite cite it"],
    ),
    "a requirement in other words": (
        changed('requirement MIG-INV-001 text "sha256:00ff"', 'requirement MIG-INV-001 text "sha256:00fe"'),
        [
            'requirement MIG-INV-001: text was "sha256:00ff", is "sha256:00fe": '
            "implementers were held to other words; add a row that says what is new"
        ],
    ),
    "a requirement of another profile": (
        changed('requirement MIG-INV-001 profile "core"', 'requirement MIG-INV-001 profile "full"'),
        ['requirement MIG-INV-001: profile was "core", is "full": peers of the release expect what it was'],
    ),
    "a requirement on a binding more": (
        changed(
            'requirement MIG-INV-001 bindings ["http"]', 'requirement MIG-INV-001 bindings ["grpc","http"]'
        ),
        [
            'requirement MIG-INV-001: bindings was ["http"], is ["grpc", "http"]: '
            "peers of the release expect what it was"
        ],
    ),
    "a request field that became required": (
        changed(
            "property InvokeRequest.capability required false",
            "property InvokeRequest.capability required true",
        ),
        [
            "property InvokeRequest.capability: required was false, is true: "
            "requests that leave it out are refused"
        ],
    ),
    "a response field that became optional": (
        changed(
            "property InvokeResponse.capability required true",
            "property InvokeResponse.capability required false",
        ),
        [
            "property InvokeResponse.capability: required was true, is false: "
            "clients that count on it may not find it"
        ],
    ),
    "a body that became required": (
        changed("body INVOKE required false", "body INVOKE required true"),
        ["body INVOKE: required was false, is true: requests that leave it out are refused"],
    ),
    "a header that became required": (
        changed(
            "parameter INVOKE.header.X-Tenant-ID required false",
            "parameter INVOKE.header.X-Tenant-ID required true",
        ),
        [
            "parameter INVOKE.header.X-Tenant-ID: required was false, is true: "
            "requests that leave it out are refused"
        ],
    ),
    "a narrower request": (
        changed(
            "property InvokeRequest.capability maxLength 255",
            "property InvokeRequest.capability maxLength 64",
        ),
        ["property InvokeRequest.capability: maxLength was 255, is 64: requests that were valid are refused"],
    ),
    "a new bound on a request": (
        RELEASED + "property InvokeRequest.capability minLength 1\n",
        [
            "property InvokeRequest.capability: minLength was absent, is 1: "
            "requests that were valid are refused"
        ],
    ),
    "a choice less in a request": (
        changed(
            'property InvokeRequest.mode enum ["fast","slow"]', 'property InvokeRequest.mode enum ["fast"]'
        ),
        [
            'property InvokeRequest.mode: enum was ["fast", "slow"], is ["fast"]: '
            "peers that send slow are refused"
        ],
    ),
    "a wider answer": (
        without("property InvokeResponse.capability maxLength"),
        [
            "property InvokeResponse.capability: maxLength was 255, is absent: "
            "answers go beyond what clients were promised"
        ],
    ),
    "another pattern": (
        changed(
            'property InvokeResponse.payload pattern "^a$"', 'property InvokeResponse.payload pattern "^b$"'
        ),
        [
            'property InvokeResponse.payload: pattern was "^a$", is "^b$": '
            "answers may go beyond what clients were promised"
        ],
    ),
    "another pattern in a request": (
        changed(
            "property InvokeRequest.capability maxLength 255",
            'property InvokeRequest.capability pattern "^b$"',
        ),
        [
            'property InvokeRequest.capability: pattern was absent, is "^b$": '
            "requests that were valid may be refused"
        ],
    ),
    "a new field that requests must carry": (
        RELEASED + "property InvokeRequest.budget required true\n",
        ["property InvokeRequest.budget is new and required: requests written for the release are refused"],
    ),
    "a new parameter that requests must carry": (
        RELEASED + "parameter INVOKE.query.budget required true\n",
        ["parameter INVOKE.query.budget is new and required: requests written for the release are refused"],
    ),
    "a message that requests no longer carry": (
        changed('schema InvokeRequest travels ["request"]', 'schema InvokeRequest travels ["response"]'),
        [
            'schema InvokeRequest: travels was ["request"], is ["response"]: '
            "it is no longer part of any request"
        ],
    ),
}

ADDITIONS = {
    "nothing": RELEASED,
    "an error": RELEASED + "error MIG_TEAPOT http 418\n",
    "an operation with all that it requires": RELEASED
    + 'operation BREW http "POST /brew"\nparameter BREW.query.cups required true\nbody BREW required true\n',
    "a request field that may be left out": RELEASED + "property InvokeRequest.budget required false\n",
    "a response field that is always there": RELEASED + "property InvokeResponse.cost required true\n",
    "a wider request": changed(
        "property InvokeRequest.capability maxLength 255", "property InvokeRequest.capability maxLength 300"
    ),
    "a narrower answer": changed(
        "property InvokeResponse.capability maxLength 255", "property InvokeResponse.capability maxLength 64"
    ),
    "a requirement": RELEASED
    + 'requirement MIG-INV-002 level "MUST"\nrequirement MIG-INV-002 text "sha256:0a"\n',
    "a pattern in an answer": RELEASED + 'property InvokeResponse.capability pattern "^b$"\n',
    "a body that became optional": changed("body PUBLISH required true", "body PUBLISH required false"),
    "a choice more": changed(
        'property InvokeRequest.mode enum ["fast","slow"]',
        'property InvokeRequest.mode enum ["fast","mid","slow"]',
    ),
    "a place on another binding": RELEASED + 'operation INVOKE nats "invoke"\n',
    "a message that travels both ways now": changed(
        'schema InvokeRequest travels ["request"]', 'schema InvokeRequest travels ["request","response"]'
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_users_is_explained(name: str) -> None:
    now, explained = BREAKS[name]
    assert breaks(RELEASED, now) == explained


@pytest.mark.parametrize("name", ADDITIONS)
def test_what_only_adds_breaks_nobody(name: str) -> None:
    assert breaks(RELEASED, ADDITIONS[name]) == []


# --- Against a real repository ----------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    """Run git as nobody in particular."""
    identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=environment, check=True, capture_output=True
    )


def breaking(spec: Path, *arguments: str) -> Result:
    """Run the command on a spec folder."""
    return CliRunner().invoke(main, ["breaking", "--spec", str(spec), *arguments], catch_exceptions=False)


def commit(spec: Path, tag: str | None = None) -> None:
    """Commit the spec folder with its surface, and tag the commit."""
    (spec / "SURFACE.txt").write_text(surface(link(load(spec))))
    git(spec.parent, "add", "-A")
    git(spec.parent, "commit", "-m", "spec", "--allow-empty")
    if tag:
        git(spec.parent, "tag", tag)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A copy of the real spec, committed to a repository of its own."""
    copied = copy_spec(tmp_path)
    git(tmp_path, "init", "--quiet")
    commit(copied)
    return copied


def test_without_a_release_there_is_nothing_to_break(spec: Path) -> None:
    done = breaking(spec)
    assert (done.exit_code, done.stdout) == (0, "no release yet (no tag like v1.2.3): nothing to break\n")


def test_a_folder_outside_of_git_has_no_release(tmp_path: Path) -> None:
    assert breaking(copy_spec(tmp_path)).exit_code == 0


def test_an_unchanged_spec_breaks_nobody(spec: Path) -> None:
    commit(spec, "v0.1.0")
    assert breaking(spec).stdout == "nothing breaks the users of v0.1.0\n"


def test_a_break_in_the_working_tree_fails_and_is_explained(spec: Path) -> None:
    commit(spec, "v0.1.0")
    commit(spec, "other-tag")
    replace(spec / "registry/errors.yaml", "jsonrpc: -32008", "jsonrpc: -32099")
    replace(spec / "registry/operations.yaml", "http: MIG-Deadline-Ms", "http: MIG-Deadline")
    done = breaking(spec)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "error MIG_TIMEOUT: jsonrpc was -32008, is -32099: peers of the release expect what it was",
        'header deadline_ms: http was "MIG-Deadline-Ms", is "MIG-Deadline": '
        "peers of the release expect what it was",
    ]
    assert done.stderr == "2 breaking changes since v0.1.0\n"


def test_the_last_release_is_the_one_compared_with(spec: Path) -> None:
    commit(spec, "v0.1.0")
    replace(spec / "registry/operations.yaml", "http: MIG-Deadline-Ms", "http: MIG-Deadline")
    commit(spec, "v0.2.0")
    assert breaking(spec).stdout == "nothing breaks the users of v0.2.0\n"
    assert breaking(spec, "--against", "v0.1.0").exit_code == 1


def test_a_release_that_does_not_exist_is_told(spec: Path) -> None:
    done = breaking(spec, "--against", "v9.9.9")
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: there is no tag v9.9.9 here; name a release, or fetch the tags (git fetch --tags)\n"
    )


def test_a_release_without_a_surface_is_told(spec: Path) -> None:
    (spec / "SURFACE.txt").unlink()
    git(spec.parent, "commit", "-am", "no surface")
    git(spec.parent, "tag", "v0.0.1")
    done = breaking(spec)
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: v0.0.1 has no SURFACE.txt in its spec folder; compare with a later release\n"
    )


def test_the_surface_in_the_repository_is_the_spec_s() -> None:
    assert (SPEC / "SURFACE.txt").read_text() == surface(link(load(SPEC)))
