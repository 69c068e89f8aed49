"""Whether spans are exported, and where to."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from migd.core.tracing import Tracer
from migd.version import __version__

_log = logging.getLogger("migd.tracing")
_STANDARD = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_TRACES = "/v1/traces"


def exporting_tracer(endpoint: str, *, server_id: str, environ: Mapping[str, str]) -> Tracer | None:
    """A tracer that exports to `endpoint`, an OTLP/HTTP receiver without its path, or to where the standard
    variables in `environ` say.

    None where neither is set, or where those variables switch tracing off. Where the extra `otel` is missing
    the log says so, and nothing is traced: it keeps no gateway from serving.
    """
    source = next((name for name in _STANDARD if environ.get(name)), None)
    if (not endpoint and source is None) or _is_off(environ):
        return None
    try:
        # OpenTelemetry is imported only where it is used: no start waits for it otherwise.
        from migd.tracing.otlp import OtlpTracer
    except ModuleNotFoundError as error:
        _log.warning(
            "%s is set, and nothing is traced: %s is not installed; pip install 'migd[otel]'",
            "MIGD_OTLP_ENDPOINT" if endpoint else source,
            error.name,
        )
        return None
    url = f"{endpoint.rstrip('/')}{_TRACES}" if endpoint else None
    return OtlpTracer(url, server_id=server_id, version=__version__, environ=environ)


def _is_off(environ: Mapping[str, str]) -> bool:
    """As OpenTelemetry's own variables say it."""
    return (
        environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        or environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    )
