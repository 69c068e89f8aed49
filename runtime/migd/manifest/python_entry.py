"""Entries that name Python code: `python: package.module:name` and `entry_point: name`."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import traceback
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from migd.capability.declaration import CapabilityFunction
from migd.core.catalog import Capability
from migd.manifest.allowances import read_allowance
from migd.manifest.document import ManifestError, Place, suggestion
from migd.manifest.tenants import read_tenants
from migd.providers.python import python_capability

ENTRY_POINT_GROUP = "migd.capabilities"
_STATED_IN_CODE = (
    "id",
    "version",
    "modes",
    "scopes",
    "event_topics",
    "input_schema",
    "output_schema",
    "max_payload_bytes",
)


def read_python(entry: Place) -> Capability:
    """The capability at a dotted path; the manifest's own folder comes first on the import path."""
    keys = _keys(entry, "python")
    place = keys["python"]
    module_name, colon, name = place.text().partition(":")
    if not (colon and module_name and name.isidentifier()):
        raise place.wrong(f'"{place.written}" is not package.module:name')
    folder = str(entry.file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = _imported(place, module_name)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if isinstance(value, CapabilityFunction)]
        raise place.wrong(f"{module_name} has no {name}{suggestion(name, known or ['no capability at all'])}")
    return _capability(place, getattr(module, name), keys)


def read_entry_point(entry: Place) -> Capability:
    """The capability that an installed distribution offers in the group `migd.capabilities`."""
    keys = _keys(entry, "entry_point")
    place = keys["entry_point"]
    name = place.text()
    offered = entry_points(group=ENTRY_POINT_GROUP)
    if name not in offered.names:
        known = sorted(offered.names) or ["none is installed"]
        raise place.wrong(
            f'no installed package offers "{name}" in the group {ENTRY_POINT_GROUP}{suggestion(name, known)}'
        )
    found: EntryPoint = offered[name]
    _imported(place, found.module)
    return _capability(place, found.load(), keys)


def _keys(entry: Place, kind: str) -> dict[str, Place]:
    keys = entry.entries()
    for key, place in keys.items():
        if key in _STATED_IN_CODE:
            raise place.wrong("a Python capability states this itself, in @capability(...)")
    return entry.only((kind, "tenants", "limits"))


def _imported(place: Place, module_name: str) -> Any:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise place.wrong(
                f"no module {error.name}, neither in {place.file.resolve().parent} nor installed"
            ) from error
        raise _import_failed(place, module_name, error) from error
    except (Exception, SystemExit) as error:  # the module is the user's: it can raise anything
        raise _import_failed(place, module_name, error) from error


def _import_failed(place: Place, module_name: str, error: BaseException) -> ManifestError:
    """Where it went wrong in the user's own code, which is the last frame outside of migd."""
    own = Path(__file__).parents[1]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(own) and "importlib" not in frame.filename
    ]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    reason = " ".join(str(error).split()) or "no message"
    return place.wrong(f"importing {module_name} failed: {type(error).__name__}: {reason}{where}")


def _capability(place: Place, found: Any, keys: dict[str, Place]) -> Capability:
    if not isinstance(found, CapabilityFunction):
        raise place.wrong(
            f'"{place.written}" is a {type(found).__name__}, not a capability: decorate it with @capability'
        )
    declared = python_capability(found, read_tenants(keys.get("tenants")))
    return dataclasses.replace(declared, limits=read_allowance(keys.get("limits")))
