"""What a gateway is started with: the settings, wherever they are said, and the rest of its migd.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migd.config import ConfigError, Settings, settings_of
from migd.setting_sources import Given, given_settings

if TYPE_CHECKING:
    from migd.manifest import Manifest, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """`given` says who said each setting, by variable. `document` is the migd.yaml; None without one."""

    settings: Settings
    given: Mapping[str, Given]
    document: Place | None

    def manifest(self) -> Manifest:
        """What the migd.yaml declares; without one, the reference capability.

        Imports and checks everything that it names, and starts nothing. Raises ConfigError: one line with the
        file's name and line.
        """
        from migd.manifest import Manifest, read_manifest
        from migd.providers.builtin import reference_capability
        from migd.providers.hosts import ProviderHosts

        if self.document is None:
            return Manifest(capabilities=(reference_capability(),))
        with _mistakes():
            return read_manifest(self.document, ProviderHosts.of(self.settings.provider_hosts))


def load_configuration(environ: Mapping[str, str], flags: Mapping[str, str]) -> Configuration:
    """Read every setting: a flag wins over the environment, that over the migd.yaml, that over the default.

    Raises ConfigError: one line that says which setting, or which line of the file, and what it takes.
    """
    path = given_settings(environ, flags, {})["MIGD_CONFIG"].text
    document = _document(Path(path), environ) if path else None
    given = given_settings(environ, flags, _declared(document))
    return Configuration(settings=settings_of(given), given=given, document=document)


def _document(path: Path, environ: Mapping[str, str]) -> Place:
    # A tenth of a second with all that it brings along: only for those who have a file.
    from migd.manifest import read_document

    with _mistakes():
        return read_document(path, environ)


def _declared(document: Place | None) -> Mapping[str, Given]:
    if document is None:
        return {}
    from migd.manifest import declared_settings

    with _mistakes():
        return declared_settings(document)


@contextmanager
def _mistakes() -> Iterator[None]:
    from migd.manifest import ManifestError

    try:
        yield
    except ManifestError as error:
        raise ConfigError(str(error)) from error
