"""Spans that leave the process: the core's tracer on OpenTelemetry, exported by OTLP."""
