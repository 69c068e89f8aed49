"""Every setting by flag, environment and migd.yaml: which of them wins, and what each may say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from migd.cli import command
from migd.config import ConfigError
from migd.configuration import load_configuration
from migd.setting_rows import RELOADED, SETTINGS, Setting
from migd.setting_values import Address

_TEXTS = (
    *("true", "false", ":7001", ":7002", "200", "2000", "30000", "30001", "2", "7", "0.5"),
    *("none", "jwt", "memory", "sqlite", "normal", "full", "debug", "error", "json", "text"),
    *("continue", "refuse", "mid-stream", "mid-stream:2", "HS256", "RS256", "http://localhost:1"),
    *("https://a.example", "a.example", "nats://a:1", "nats://b:2", "name", "another-name"),
)
_TLS = {"MIGD_TLS_CERT": "c.pem", "MIGD_TLS_KEY": "k.pem", "MIGD_TLS_CLIENT_CA": "ca.pem"}
_NEEDS = {
    "MIGD_AUTH_MODE": {"MIGD_JWT_HS256_SECRET": "s"},
    **dict.fromkeys(_TLS, _TLS),
    "MIGD_TENANT_RATE_BURST": {"MIGD_TENANT_RATE_PER_S": "1"},
    "MIGD_HEARTBEAT_MIN_MS": {"MIGD_HEARTBEAT_MAX_MS": "90000"},
    "MIGD_HEARTBEAT_MAX_MS": {"MIGD_HEARTBEAT_MIN_MS": "100"},
}
"""What a setting can not be set without."""

_IN_FILES = [row for row in SETTINGS if row.in_file]
_WITH_FLAGS = [row for row in SETTINGS if row.flag]
_BY_FLAG_AND_VARIABLE = [row for row in _IN_FILES if row.flag]


def two_texts(row: Setting) -> tuple[str, str]:
    """Two that the setting takes, which mean different things, and other things than its default."""
    found: dict[Any, str] = {}
    for text in _TEXTS:
        try:
            found.setdefault(row.kind.parse(text), text)
        except ValueError:
            continue
    default = row.kind.parse(row.default) if row.default else row.kind.absent
    others = [text for value, text in found.items() if value != default and value != "mtls"]
    return (others[0], others[1]) if len(others) > 1 else (others[0], row.default)


def needed(row: Setting) -> dict[str, str]:
    return {name: text for name, text in _NEEDS.get(row.variable, {}).items() if name != row.variable}


def held(row: Setting, environ: Mapping[str, str]) -> tuple[Any, str]:
    """Its value, and where that is from."""
    configuration = load_configuration({**needed(row), **environ}, {})
    return getattr(configuration.settings, row.field), configuration.given[row.variable].source


def as_json(value: Any) -> Any:
    """A value as `migd config show --json` has it."""
    if isinstance(value, frozenset | tuple) and not isinstance(value, Address):
        return sorted(value)
    return str(value) if isinstance(value, Path | Address) else value


def manifest(folder: Path, *lines: str) -> str:
    path = folder / "migd.yaml"
    path.write_text("\n".join(("migd: 1", "settings:", *(f"  {line}" for line in lines))))
    return str(path)


@pytest.mark.parametrize("row", _BY_FLAG_AND_VARIABLE, ids=lambda row: row.variable)
def test_a_flag_wins_over_the_environment(row: Setting) -> None:
    text, other = two_texts(row)
    environ = {**needed(row), row.variable: other}
    result = CliRunner().invoke(
        command, [row.flag, text, "config", "show", "--json"], env=environ, catch_exceptions=False
    )
    (found,) = (each for each in json.loads(result.output) if each["setting"] == row.variable)
    assert (found["value"], found["source"]) == (as_json(row.kind.parse(text)), "flag")
    assert row.kind.parse(text) != row.kind.parse(other)


@pytest.mark.parametrize("row", _IN_FILES, ids=lambda row: row.variable)
def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    row: Setting, tmp_path: Path
) -> None:
    text, other = two_texts(row)
    file = manifest(tmp_path, f"{row.field}: {text if row.kind.unit or not row.kind.listed else [text]}")
    in_file = {"MIGD_CONFIG": file}
    placed = str(tmp_path / text) if row.kind.placed and "://" not in text else text

    assert held(row, in_file) == (row.kind.parse(placed), "migd.yaml")
    assert held(row, {**in_file, row.variable: other}) == (row.kind.parse(other), "environment")
    assert load_configuration({}, {}).given[row.variable].source == "default"


def test_the_file_is_named_by_a_flag_before_the_environment(tmp_path: Path) -> None:
    file = manifest(tmp_path, "max_depth: 7")
    configuration = load_configuration({"MIGD_CONFIG": "/nowhere"}, {"MIGD_CONFIG": file})
    assert (configuration.settings.max_depth, configuration.given["MIGD_MAX_DEPTH"].line) == (7, 3)


def test_a_setting_of_a_subcommand_wins_over_that_before_it(tmp_path: Path) -> None:
    file = manifest(tmp_path, "max_depth: 7")
    result = CliRunner().invoke(
        command, ["--max-depth", "8", "config", "show", "--max-depth=9", "--config", file]
    )
    assert [line.split() for line in result.output.splitlines() if "MAX_DEPTH" in line] == [
        ["MIGD_MAX_DEPTH", "9", "flag"]
    ]


@pytest.mark.parametrize("row", [row for row in SETTINGS if row.secret], ids=lambda row: row.variable)
def test_a_secret_is_not_taken_from_the_command_line(row: Setting) -> None:
    result = CliRunner().invoke(
        command, [f"--{row.field.replace('_', '-')}", "hunter2", "config", "show"], standalone_mode=True
    )
    assert result.exit_code == 2
    assert f"{row.variable}, which is a secret, is not taken from the command line" in result.output
    assert "hunter2" not in result.output


def test_credentials_within_a_url_are_not_taken_from_the_command_line() -> None:
    result = CliRunner().invoke(command, ["--nats-url", "nats://u:hunter2@a", "config", "show"])
    assert "MIGD_NATS_URL, with credentials in it, is not taken from the command line" in result.output
    assert "hunter2" not in result.output


def test_an_empty_text_is_as_none_wherever_it_stands(tmp_path: Path) -> None:
    file = manifest(tmp_path, "max_depth:", "server_id: ''", "log_level: error")
    environ = {"MIGD_CONFIG": file, "MIGD_LOG_LEVEL": " "}
    settings = load_configuration(environ, {"MIGD_LOG_LEVEL": ""}).settings
    assert (settings.max_depth, settings.server_id, settings.log_level) == (32, "", "error")


def test_variables_in_the_file_are_looked_up_and_lists_are_lists(tmp_path: Path) -> None:
    file = manifest(
        tmp_path,
        "jwt_hs256_secret: ${THE_SECRET}",
        "max_depth: ${DEPTH:-9}",
        "enable_metrics: no",
        "allowed_hosts: [a.example, B.example]",
        "grpc_addr: :9090",
    )
    settings = load_configuration({"MIGD_CONFIG": file, "THE_SECRET": "hunter2"}, {}).settings
    assert settings.jwt_hs256_secret == "hunter2"
    assert (settings.max_depth, settings.enable_metrics) == (9, False)
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert str(settings.grpc_addr) == ":9090"


def test_paths_in_the_file_are_relative_to_its_folder_and_urls_are_urls(tmp_path: Path) -> None:
    file = manifest(tmp_path, "audit_log_path: logs/a.jsonl", "data_dir: /var/x", "jwt_jwks: keys.json")
    settings = load_configuration({"MIGD_CONFIG": file}, {}).settings
    assert settings.audit_log_path == tmp_path / "logs" / "a.jsonl"
    assert settings.data_dir == Path("/var/x")
    assert settings.jwt_jwks == str(tmp_path / "keys.json")
    url = manifest(tmp_path, "jwt_jwks: https://keys.example/set")
    assert load_configuration({"MIGD_CONFIG": url}, {}).settings.jwt_jwks == "https://keys.example/set"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("adr: :1", 'settings.adr: is not a setting; did you mean "addr"?'),
        ("MIGD_ADDR: :1", 'settings.MIGD_ADDR: is not a setting; did you mean "addr"?'),
        ("grpc-addr: :1", 'settings.grpc-addr: is not a setting; did you mean "grpc_addr"?'),
        ("zzz: 1", "settings.zzz: is not a setting; `migd config show` lists those there are"),
        (
            "config: x.yaml",
            "settings.config: a file can not say which file is read: use --config or MIGD_CONFIG",
        ),
        (
            "max_depth: 1000",
            "settings.max_depth: '1000' is not usable: expected a whole number from 1 to 128",
        ),
        ("max_depth: [1]", "settings.max_depth: expected a whole number from 1 to 128, found a list"),
        ("log_format: ${NONE_SUCH}", "settings.log_format: the environment has no NONE_SUCH; set it, or"),
        (
            "nats_url: http://u:hunter2@a",
            "settings.nats_url: is not usable: expected NATS URLs with commas",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line_even_where_the_environment_wins(
    tmp_path: Path, line: str, told: str
) -> None:
    file = manifest(tmp_path, "store: memory", line)
    with pytest.raises(ConfigError) as refused:
        load_configuration({"MIGD_CONFIG": file, "MIGD_MAX_DEPTH": "3", "MIGD_NATS_URL": "a"}, {})
    assert str(refused.value).startswith(f"{file}:4: {told}")
    assert "hunter2" not in str(refused.value)


def test_all_that_reloads_is_a_setting_that_a_file_can_hold() -> None:
    assert {row.variable for row in SETTINGS if row.in_file} >= RELOADED


def test_help_has_the_usual_flags_and_help_all_every_one() -> None:
    usual = CliRunner().invoke(command, ["--help"]).output
    everything = CliRunner().invoke(command, ["--help-all"]).output
    assert "--grpc-addr VALUE" in usual
    assert "--max-depth" not in usual
    assert [row.flag for row in _WITH_FLAGS if f"{row.flag} VALUE" not in everything] == []
    assert "Secrets have no option" in everything
