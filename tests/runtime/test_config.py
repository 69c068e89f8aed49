"""Settings: what the environment may say, and what is told when it can not be used."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from migd.config import ConfigError, Settings, load_settings, unknown_variables
from migd.setting_rows import SETTINGS, Setting
from migd.setting_values import Address


def test_an_empty_environment_gives_the_defaults_of_the_protocol() -> None:
    settings = load_settings({})

    assert settings.addr == Address("", 8080)
    assert settings.auth_mode == "none"
    assert settings.enable_metrics is True
    assert settings.require_tenant_header is False
    assert settings.audit_log_path is None
    assert settings.config is None


def test_an_empty_value_is_an_absent_one() -> None:
    assert load_settings(
        {"MIGD_ADDR": "", "MIGD_GRPC_ADDR": " ", "MIGD_AUDIT_LOG_PATH": ""}
    ) == load_settings({})


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    assert sorted(row.field for row in SETTINGS) == sorted(
        field.name for field in dataclasses.fields(Settings)
    )


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.variable)
def test_every_default_is_one_that_its_setting_allows(row: Setting) -> None:
    assert not row.default or row.kind.parse(row.default) == getattr(load_settings({}), row.field)
    assert row.about.endswith(".")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":8080", Address("", 8080)),
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("localhost:65535", Address("localhost", 65535)),
        ("[::1]:8080", Address("::1", 8080)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: Address) -> None:
    assert load_settings({"MIGD_ADDR": text}).addr == address


@pytest.mark.parametrize(
    "text", ["8080", "localhost", "::1:8080", "localhost:65536", "a b:80", ":", "http://x:80"]
)
def test_an_address_that_is_none_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings({"MIGD_ADDR": text})

    assert str(refused.value).startswith(f"MIGD_ADDR={text!r} is not usable: expected host:port, such as")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("FALSE", False), ("1", True), ("0", False), ("off", False)]
)
def test_a_flag_is_read_in_the_usual_spellings(text: str, value: bool) -> None:
    assert load_settings({"MIGD_ENABLE_METRICS": text}).enable_metrics is value


@pytest.mark.parametrize(
    ("variable", "text", "allowed"),
    [
        ("MIGD_ENABLE_METRICS", "maybe", "true or false"),
        ("MIGD_AUTH_MODE", "oauth", "none, jwt or mtls"),
        ("MIGD_LOG_FORMAT", "xml", "text or json"),
        ("MIGD_MAX_BODY_BYTES", "4MB", "a whole number from 1024 to 1073741824"),
        ("MIGD_MAX_BODY_BYTES", "-1", "a whole number from 1024 to 1073741824"),
        ("MIGD_SHUTDOWN_GRACE_S", "nan", "a number from 0 to 3600"),
        ("MIGD_SHUTDOWN_GRACE_S", "3601", "a number from 0 to 3600"),
        ("MIGD_MAX_CONCURRENT_INVOCATIONS", "0", "a whole number from 1 to 1000000"),
        ("MIGD_SERVER_ID", "my server", "1 to 64 characters of A-Z a-z 0-9 _ -"),
    ],
)
def test_a_value_that_does_not_parse_is_one_line_with_its_variable_and_what_is_allowed(
    variable: str, text: str, allowed: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings({variable: text})

    assert str(refused.value) == f"{variable}={text!r} is not usable: expected {allowed}"


def test_the_command_line_wins_over_the_environment_and_is_what_a_message_names() -> None:
    assert load_settings({"MIGD_ADDR": ":1"}, {"MIGD_ADDR": ":2"}).addr.port == 2
    with pytest.raises(ConfigError, match=r"^--addr='x' is not usable"):
        load_settings({"MIGD_ADDR": ":1"}, {"MIGD_ADDR": "x"})


def test_jwt_mode_without_a_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"MIGD_AUTH_MODE=jwt needs MIGD_JWT_HS256_SECRET"):
        load_settings({"MIGD_AUTH_MODE": "jwt"})
    assert load_settings({"MIGD_AUTH_MODE": "JWT", "MIGD_JWT_HS256_SECRET": "s"}).auth_mode == "jwt"


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("localhost", "nats://localhost:4222"),
        ("nats://a, tls://u:p@b:1", "nats://a:4222,tls://u:p@b:1"),
        ("nats://[::1]:7", "nats://[::1]:7"),
    ],
)
def test_nats_urls_are_completed(text: str, urls: str) -> None:
    assert load_settings({"MIGD_NATS_URL": text}).nats_url == urls


@pytest.mark.parametrize(
    "text", ["http://u:hunter2@a", "nats://u:hunter2@a:x", "nats://u:hunter2@a,", "nats://u:hunter2@"]
)
def test_a_nats_url_that_is_none_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError) as told:
        load_settings({"MIGD_NATS_URL": text})
    assert str(told.value).startswith("MIGD_NATS_URL is not usable: expected NATS URLs")
    assert "hunter2" not in str(told.value)


def test_heartbeat_bounds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="MIGD_HEARTBEAT_MIN_MS is greater than MIGD_HEARTBEAT_MAX_MS"):
        load_settings({"MIGD_HEARTBEAT_MIN_MS": "70000"})


def test_a_burst_without_a_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match="MIGD_TENANT_RATE_BURST is set and MIGD_TENANT_RATE_PER_S, the"):
        load_settings({"MIGD_TENANT_RATE_BURST": "5"})


def test_a_path_is_a_path() -> None:
    assert load_settings({"MIGD_AUDIT_LOG_PATH": "./a.jsonl"}).audit_log_path == Path("a.jsonl")


def test_an_unknown_variable_is_warned_of_with_the_likely_one() -> None:
    warnings = unknown_variables({"MIGD_ADR": ":1", "MIGD_ZZZ": "", "MIGD_ADDR": ":1", "PATH": "/bin"})

    assert warnings == [
        "MIGD_ADR is not a setting of migd; did you mean MIGD_ADDR?",
        "MIGD_ZZZ is not a setting of migd; `migd config show` lists those that are",
    ]
