"""`migd config show` and `migd config check`, as a person or a script at a terminal meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migd.config import ConfigError
from migd.configuration import load_configuration
from migd.rehearsal import rehearse
from migd.setting_rows import SETTINGS
from support.certificates import Authority

from .test_cli import ended, mistake

SECRETS = {row.variable: f"hunter2-{row.field}" for row in SETTINGS if row.secret} | {
    "MIGD_NATS_URL": "nats://user:hunter2@localhost",
    "MIGD_AUTH_MODE": "jwt",
}


def manifest(folder: Path, text: str) -> str:
    path = folder / "migd.yaml"
    path.write_text(f"migd: 1\n{text}")
    return str(path)


def test_show_has_every_setting_its_value_and_where_that_is_from(tmp_path: Path) -> None:
    file = manifest(tmp_path, "settings:\n  max_depth: 7\n")
    status, stdout, stderr = ended(
        "--config", file, "config", "show", "--shutdown-grace-s", "2", MIGD_ENABLE_METRICS="0"
    )
    lines = {line.split()[0]: line.split()[1:] for line in stdout.splitlines()}

    assert (status, stderr) == (0, "")
    assert list(lines) == [row.variable for row in SETTINGS]
    assert lines["MIGD_ENABLE_METRICS"] == ["false", "environment"]
    assert lines["MIGD_SHUTDOWN_GRACE_S"] == ["2", "flag"]
    assert lines["MIGD_MAX_DEPTH"] == ["7", "migd.yaml,", "line", "3"]
    assert lines["MIGD_MAX_BODY_BYTES"] == ["4194304", "default"]
    assert lines["MIGD_GRPC_ADDR"] == ["default"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_is_shown(form: list[str]) -> None:
    status, stdout, stderr = ended("config", "show", *form, **SECRETS)
    assert status == 0
    assert stdout.count("(secret)") == len(SECRETS) - 1
    assert "hunter2" not in stdout + stderr


def test_json_has_values_of_their_own_kind(tmp_path: Path) -> None:
    file = manifest(tmp_path, "settings:\n  cors_origins: [https://a.example, https://b.example]\n")
    shown = json.loads(
        ended("config", "show", "--json", MIGD_CONFIG=file, MIGD_JWT_ALGORITHMS="RS256,ES256")[1]
    )
    found = {each["setting"]: each for each in shown}

    assert found["MIGD_CORS_ORIGINS"] == {
        "setting": "MIGD_CORS_ORIGINS",
        "value": ["https://a.example", "https://b.example"],
        "source": "migd.yaml",
        "line": 3,
        "reload": False,
    }
    assert found["MIGD_JWT_ALGORITHMS"]["value"] == ["ES256", "RS256"]
    assert found["MIGD_TOPIC_SCOPES"]["value"] is False
    assert found["MIGD_MAX_DEPTH"] == {
        "setting": "MIGD_MAX_DEPTH",
        "value": 32,
        "source": "default",
        "reload": True,
    }
    assert found["MIGD_GRPC_ADDR"]["value"] is None


def test_config_alone_is_its_help() -> None:
    status, stdout, _ = ended("config")
    assert status == 0
    assert "check  Read all that a start reads" in stdout


def test_check_lists_what_would_be_served_and_says_ok(tmp_path: Path) -> None:
    assert ended("config", "check") == (
        0,
        "observatory.models.infer 1.0.0 (unary, server_stream)\nOK: the settings; there is no migd.yaml\n",
        "",
    )
    file = manifest(tmp_path, "settings: {store: memory}\ncapabilities: []\n")
    assert ended("config", "check", "--config", file)[1].endswith(f"OK: the settings and {file}\n")


def test_check_warns_of_a_variable_that_is_no_setting() -> None:
    status, _, stderr = ended("config", "check", MIGD_ADRESS=":1")
    assert (status, stderr) == (0, "warning: MIGD_ADRESS is not a setting of migd; did you mean MIGD_ADDR?\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("settings:\n  store: disk\n", "{file}:3: settings.store: 'disk' is not usable: expected memory or"),
        ("settings:\n  stoer: disk\n", '{file}:3: settings.stoer: is not a setting; did you mean "store"?'),
        ("setings: {}\n", '{file}:2: setings: unknown key; did you mean "settings"?'),
        ("capabilities:\n  - python: no.module:x\n", "{file}:3: capabilities[0].python: no module no"),
        ("settings:\n  auth_mode: mtls\n", "MIGD_AUTH_MODE=mtls needs MIGD_TLS_CLIENT_CA"),
        (
            "settings:\n  auth_mode: jwt\n",
            "MIGD_AUTH_MODE=jwt needs MIGD_JWT_HS256_SECRET, MIGD_JWT_JWKS or auth.issuers",
        ),
        (
            "settings: {auth_mode: jwt, jwt_jwks: keys.json}\n",
            "{folder}/keys.json can not be read: No such file or directory",
        ),
        ("settings: {tls_cert: c, tls_key: k}\n", "MIGD_TLS_CERT='{folder}/c' can not be read"),
        ("settings: {nats_url: a, nats_user: u}\n", "MIGD_NATS_USER and MIGD_NATS_PASSWORD go together"),
        (
            "settings: {max_schema_bytes: 1024}\ncapabilities:\n"
            "  - {http: http://localhost:1/, id: a.b, input_schema: {title: " + "x" * 2000 + "}}\n",
            "a.b: not a usable JSON Schema: it has more bytes than 1024 (MIGD_MAX_SCHEMA_BYTES)",
        ),
    ],
)
def test_check_finds_what_would_keep_a_gateway_from_starting(tmp_path: Path, text: str, told: str) -> None:
    file = manifest(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        rehearse(load_configuration({"MIGD_CONFIG": file}, {}))
    assert str(refused.value).startswith(told.format(file=file, folder=tmp_path))


def test_what_check_finds_is_one_line_and_status_2(tmp_path: Path) -> None:
    file = manifest(tmp_path, "settings:\n  store: disk\n")
    assert mistake("config", "check", "--config", file).startswith(f"{file}:3: settings.store: 'disk' is not")


def test_check_reads_certificates(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue("server")
    configuration = load_configuration({"MIGD_TLS_CERT": str(certificate), "MIGD_TLS_KEY": str(key)}, {})
    assert [descriptor.id for descriptor in rehearse(configuration)] == ["observatory.models.infer"]
    key.write_text("no key")
    with pytest.raises(ConfigError, match=r"^MIGD_TLS_KEY="):
        rehearse(configuration)
