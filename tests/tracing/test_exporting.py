"""Whether spans are exported: an endpoint asks for it, the extra is needed for it, else it costs nothing."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import urllib.request

import pytest

from migd.tracing.exporting import exporting_tracer
from support.otlp_receiver import otlp_receiver
from support.running_migd import local_migd, running_migd

REFERENCE = "observatory.models.infer"
_LISTS_MODULES = """
import sys
from migd.app import Application
from migd.config import load_settings
Application(load_settings({"MIGD_STORE": "memory"}), ())
print(*sys.modules)
"""


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", _LISTS_MODULES], capture_output=True, text=True, check=True
    )

    assert "migd.tracing.exporting" in listed.stdout.split()
    assert not [name for name in listed.stdout.split() if name.startswith("opentelemetry")]


@pytest.mark.parametrize(
    ("endpoint", "environ", "named"),
    [
        ("http://localhost:4318", {}, "MIGD_OTLP_ENDPOINT"),
        ("", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ],
)
def test_without_the_extra_one_line_says_so_and_the_gateway_starts_untraced(
    endpoint: str,
    environ: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delitem(sys.modules, "migd.tracing.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    assert exporting_tracer(endpoint, server_id="", environ=environ) is None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(f"{named} is set, and nothing is traced")
    assert record.getMessage().endswith("pip install 'migd[otel]'")


async def test_the_standard_variable_is_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    async with otlp_receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "edge")
        async with local_migd() as migd:
            await migd.invoke(REFERENCE, {"input": "x"})

    assert {span.service for span in receiver.spans} == {"edge"}
    assert len(receiver.spans) == 2


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_what_switches_opentelemetry_off_switches_this_off(off: dict[str, str]) -> None:
    assert exporting_tracer("http://localhost:4318", server_id="", environ=off) is None


def test_a_collector_that_never_answers_holds_up_neither_a_request_nor_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with running_migd(MIGD_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_TIMEOUT="3600") as migd:
            asked = urllib.request.Request(
                f"{migd.url}/mig/v0.1/invoke/{REFERENCE}",
                b'{"payload": {"input": "x"}}',
                {"X-Tenant-ID": "acme"},
            )
            with urllib.request.urlopen(asked) as answer:
                assert answer.status == 200
            assert migd.stop() == 0

    assert not any("Traceback" in line for line in migd.stderr)
    assert any("the last spans could not be exported" in line for line in migd.stderr)
