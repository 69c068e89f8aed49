"""Which folder the sqlite store lies in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migd.config import ConfigError, Settings

ELSEWHERE = "choose another folder with MIGD_DATA_DIR, or set MIGD_STORE=memory to keep nothing"


def data_dir(settings: Settings, environ: Mapping[str, str]) -> Path:
    """MIGD_DATA_DIR, or where the user's programs keep their data (XDG Base Directory specification).

    Raises ConfigError where there is neither that setting nor a home.
    """
    if settings.data_dir is not None:
        return settings.data_dir
    shared = Path(environ.get("XDG_DATA_HOME", ""))
    # The specification has a relative path ignored.
    return (shared if shared.is_absolute() else _home() / ".local" / "share") / "migd"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise ConfigError(f"there is no home folder to keep data in: {ELSEWHERE}") from error
