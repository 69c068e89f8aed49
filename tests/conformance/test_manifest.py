"""mig-sut.yaml and the options that override it: what they mean, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mig_conformance.checks.features import KNOWN
from mig_conformance.subject.document import Document, ManifestError, read_document
from mig_conformance.subject.manifest import declaration_of, manifest_schema
from mig_conformance.subject.placeholders import Placeholders
from mig_conformance.subject.subject import Auth, Command, Declaration, Endpoints, Limits

WHOLE = """\
implementation: gateway
version: "2.1"
contact: https://gateway.example
profiles: [core, evented]
features: [events, replay, durable, script]
endpoints:
  http: http://127.0.0.1:${port.web}/
  grpc: "[::1]:9090"
  nats: nats://user:word@localhost:4222
tenant: acme
other_tenant: umbrella
auth:
  mode: jwt
  tokens: {own: "${env.OWN}"}
  hs256_secret: ${env.SECRET}
commands:
  start:
    run: serve --port ${port.web} --data ${folder.data} --home ${HOME}
    env: {PORT: "${port.web}"}
    ready: http://127.0.0.1:${port.web}/readyz
    within_s: 5
  stop: stop-it
patience_s: 3
"""
ENVIRON = {"OWN": "own-token", "SECRET": "a-secret"}


def read(text: str, tmp_path: Path, environ: dict[str, str] = ENVIRON, **overrides: Any) -> Declaration:
    file = tmp_path / "mig-sut.yaml"
    file.write_text(text)
    document = read_document(file)
    for option, value in overrides.items():
        document.override(("endpoints", option), value, f"--{option}")
    return declaration_of(document, Placeholders(environ, tmp_path))


def test_every_member_is_known_of_the_server(tmp_path: Path) -> None:
    declared = read(WHOLE, tmp_path)
    subject = declared.subject
    start = subject.commands.start
    assert start is not None
    port = start.env["PORT"]
    assert (subject.implementation, subject.version, subject.contact) == (
        "gateway",
        "2.1",
        "https://gateway.example",
    )
    assert subject.endpoints == Endpoints(
        http=f"http://127.0.0.1:{port}", grpc="[::1]:9090", nats="nats://user:word@localhost:4222"
    )
    assert (subject.tenant, subject.other_tenant, subject.patience_s) == ("acme", "umbrella", 3)
    assert subject.auth == Auth(mode="jwt", tokens={"own": "own-token"}, hs256_secret="a-secret")
    assert subject.commands.stop == Command(run="stop-it")
    assert (start.ready, start.within_s) == (f"http://127.0.0.1:{port}/readyz", 5)
    assert declared.profiles == frozenset({"core", "evented"})
    assert declared.features == frozenset({"events", "replay", "durable", "script"})


def test_a_folder_is_there_and_what_is_for_the_shell_is_left_to_it(tmp_path: Path) -> None:
    start = read(WHOLE, tmp_path).subject.commands.start
    assert start is not None
    assert start.run.endswith(f" --data {tmp_path / 'data'} --home ${{HOME}}")
    assert list((tmp_path / "data").iterdir()) == []


def test_what_is_not_said_is_not_declared(tmp_path: Path) -> None:
    declared = read("endpoints: {http: 'http://localhost:1'}", tmp_path)
    assert (declared.profiles, declared.features) == (None, None)
    assert declared.subject.auth.mode == "none"


def test_names_of_ports_are_different_ports(tmp_path: Path) -> None:
    names = [f"${{port.p{number}}}" for number in range(50)]
    filled = Placeholders({}, tmp_path).fill(" ".join(names)).split()
    assert len(set(filled)) == len(names)


def test_an_option_overrides_the_file_and_is_named_when_it_is_wrong(tmp_path: Path) -> None:
    given = read(WHOLE, tmp_path, http="https://gateway.example")
    assert given.subject.endpoints.http == "https://gateway.example"
    with pytest.raises(ManifestError, match=r"^--http: expected a URL without a path, .* not \"localhost\"$"):
        read(WHOLE, tmp_path, http="localhost")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            ("http: http", "htpp: http"),
            "mig-sut.yaml:6: endpoints: no member htpp; it may have http, grpc, nats",
        ),
        (('"[::1]:9090"', "grpc://here"), "mig-sut.yaml:8: endpoints/grpc: expected HOST:PORT, such as"),
        (("nats://user", "http://user"), "mig-sut.yaml:9: endpoints/nats: expected the URL of a NATS server"),
        (("[core, evented]", "[core, eventful]"), "mig-sut.yaml:4: profiles/1: expected core, streaming,"),
        (("replay", "replays"), "mig-sut.yaml:5: features/1: expected a feature"),
        (('"2.1"', "2.1"), "mig-sut.yaml:2: version: expected its version, as text (in quotes), not 2.1"),
        (("tenant: acme", "tenant: a.b"), "mig-sut.yaml:10: tenant: expected 1 to 64 characters"),
        (("umbrella", "acme"), "mig-sut.yaml:11: other_tenant: it has to be another tenant"),
        (("mode: jwt", "mode: basic"), 'mig-sut.yaml:13: auth/mode: expected none or jwt, not "basic"'),
        (
            ("    within_s", "    within"),
            "mig-sut.yaml:17: commands/start: no member within; it may have run,",
        ),
        (
            ("within_s: 5", "within_s: 0"),
            "mig-sut.yaml:21: commands/start/within_s: expected how many seconds",
        ),
        (("${env.OWN}", "${env.NOT_SET}"), "stands for a variable that is not set: export NOT_SET"),
        (("patience_s: 3", "patience_s: ["), "mig-sut.yaml:24: no YAML: expected"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(change: tuple[str, str], says: str, tmp_path: Path) -> None:
    text = WHOLE.replace(*change, 1)
    assert text != WHOLE
    with pytest.raises(ManifestError) as raised:
        read(text, tmp_path)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "change", [("${env.SECRET}", "[sesame]"), ('{own: "${env.OWN}"}', "{own: {a: sesame}}")]
)
def test_no_mistake_shows_a_secret(change: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as raised:
        read(WHOLE.replace(*change), tmp_path)
    assert "auth/" in str(raised.value)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "no endpoint is said"),
        ("- a list", "expected members such as endpoints"),
        ("{endpoints: {grpc: 'a:1'}, auth: {mode: jwt}}", "mode jwt wants a token or the secret"),
    ],
)
def test_a_manifest_that_can_not_be_judged_by_says_what_it_lacks(
    text: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(ManifestError, match=says):
        read(text, tmp_path)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="can not be read"):
        read_document(tmp_path / "none.yaml")


def test_options_alone_describe_a_server(tmp_path: Path) -> None:
    document = Document("", {}, {})
    document.override(("endpoints", "grpc"), "localhost:9090", "--grpc")
    document.override(("auth", "tokens", "own"), "t0ken", "--token")
    document.override(("auth", "mode"), "jwt", "--token")
    subject = declaration_of(document, Placeholders({}, tmp_path)).subject
    assert (subject.endpoints.grpc, subject.auth.tokens) == ("localhost:9090", {"own": "t0ken"})


def test_the_schema_is_one_and_knows_every_feature() -> None:
    schema = manifest_schema()
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]["features"]["items"]["enum"]) == KNOWN


def test_limits_and_further_gateways_are_known(tmp_path: Path) -> None:
    further = 'limits: {retained_events: 200, keepalive_s: 0.5}\npeers: [{http: "http://localhost:2/"}]\n'
    subject = read(WHOLE + further, tmp_path).subject
    assert subject.limits == Limits(retained_events=200, keepalive_s=0.5)
    assert subject.peers == (Endpoints(http="http://localhost:2"),)
    for wrong, says in (
        ("limits: {retained_events: 1}", "limits/retained_events: expected how many events"),
        ("peers: [{}]", "peers/0: expected http, grpc or both"),
        ("peers: [{nats: 'nats://localhost:1'}]", "peers/0: no member nats; it may have http, grpc"),
    ):
        with pytest.raises(ManifestError, match=says):
            read(WHOLE + wrong, tmp_path)
