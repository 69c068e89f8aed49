"""Where a gateway keeps things, as its settings have it: the store, and the files of the audit trail."""

from __future__ import annotations

import os

from migd.config import ConfigError, Settings
from migd.core.audit import AuditSink
from migd.core.clock import Clock
from migd.core.failpoints import Failpoints
from migd.core.ports import Store
from migd.core.recorder import Recorder
from migd.data_dir import data_dir
from migd.stores.audit_file import AuditFile
from migd.stores.memory import MemoryStore
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore


def store_of(settings: Settings, clock: Clock, failpoints: Failpoints, recorder: Recorder) -> Store:
    """Not opened yet. Raises ConfigError where there is no folder for it."""
    if settings.store == "memory":
        return MemoryStore(clock, _retention(settings))
    return SqliteStore(
        data_dir(settings, os.environ),
        clock,
        _retention(settings),
        synchronous=settings.sqlite_synchronous,
        failpoints=failpoints,
        recorder=recorder,
    )


def audit_sinks_of(settings: Settings, clock: Clock) -> tuple[AuditSink, ...]:
    """Raises ConfigError for a file that can not be written."""
    if settings.audit_log_path is None:
        return ()
    path = str(settings.audit_log_path)
    try:
        return (AuditFile(settings.audit_log_path, clock),)
    except BlockingIOError as error:
        raise ConfigError(
            f"MIGD_AUDIT_LOG_PATH={path!r} is in use by another migd: give each gateway a file of its own"
        ) from error
    except OSError as error:
        raise ConfigError(f"MIGD_AUDIT_LOG_PATH={path!r} can not be written: {error.strerror}") from error


def _retention(settings: Settings) -> Retention:
    return Retention(
        events=settings.retention_events,
        bytes=settings.retention_bytes,
        age_s=settings.retention_age_s,
        topics=settings.max_topics_per_tenant,
        consumers=settings.max_consumers_per_tenant,
        consumer_window_s=settings.consumer_window_s,
        audit_records=settings.retention_audit_records,
    )
