"""From the file to the capabilities it declares."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migd.auth_config import AuthConfig
from migd.core.catalog import Capability
from migd.core.limits import Allowance
from migd.manifest.allowances import read_allowance, read_tenant_allowances
from migd.manifest.auth import read_auth
from migd.manifest.document import Place, read_document
from migd.manifest.python_entry import read_entry_point, read_python
from migd.manifest.settings import read_settings
from migd.manifest.tenants import read_tenants
from migd.providers.builtin import REFERENCE_ID, reference_capability
from migd.providers.hosts import UNLISTED, ProviderHosts
from migd.setting_sources import Given

FORMAT = 1


def _read_http(entry: Place, hosts: ProviderHosts) -> Capability:
    # aiohttp costs a tenth of a second and 14 MB: only a gateway with a service behind it pays them.
    from migd.manifest.http_entry import read_http

    return read_http(entry, hosts)


_READERS: Mapping[str, Callable[[Place, ProviderHosts], Capability]] = {
    "python": lambda entry, _: read_python(entry),
    "entry_point": lambda entry, _: read_entry_point(entry),
    "http": _read_http,
}
_KINDS = (*_READERS, "builtin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a migd.yaml says. The reference capability comes first, unless the file switches it off.

    `tenants` are the limits of those that have some of their own, `auth` is who may call.
    """

    capabilities: tuple[Capability, ...]
    tenants: Mapping[str, Allowance] = field(default_factory=dict)
    auth: AuthConfig = field(default_factory=AuthConfig)


def load_manifest(path: Path, environ: Mapping[str, str], hosts: ProviderHosts = UNLISTED) -> Manifest:
    """As `read_manifest`, of the file at `path`; `environ` is where `${NAME}` is looked up."""
    return read_manifest(read_document(path, environ), hosts)


def declared_settings(top: Place) -> Mapping[str, Given]:
    """The settings that the file sets, by variable. Raises ManifestError for one that can not be used."""
    return read_settings(_top(top).get("settings"))


def read_manifest(top: Place, hosts: ProviderHosts = UNLISTED) -> Manifest:
    """Read what the file declares beside settings; import and check everything that it names.

    The file's folder is put on the import path. `hosts` is where services may be. Nothing is started and no
    network is used. Raises ManifestError: one line with the file's name and line.
    """
    keys = _top(top)
    listed = keys["capabilities"].items() if "capabilities" in keys else []
    entries = [(entry, _kind(entry)) for entry in listed]
    declared: dict[str, tuple[str, Capability]] = {}
    reference = _reference([entry for entry, kind in entries if kind == "builtin"])
    if reference is not None:
        hint = "by every migd; `- builtin: reference` with `enabled: false` makes room for another"
        declared[REFERENCE_ID] = hint, reference
    for entry, kind in entries:
        if kind != "builtin":
            capability = _READERS[kind](entry, hosts)
            id = capability.descriptor.id
            if id in declared:
                raise entry.wrong(f"{id} is declared already, {declared[id][0]}")
            declared[id] = f"in line {entry.line}", capability
    return Manifest(
        capabilities=tuple(capability for _, capability in declared.values()),
        tenants=read_tenant_allowances(keys.get("limits")),
        auth=read_auth(keys.get("auth")),
    )


def _top(top: Place) -> dict[str, Place]:
    keys = top.only(("migd", "auth", "capabilities", "limits", "settings"))
    if "migd" not in keys:
        raise top.wrong(f"the file lacks `migd: {FORMAT}`, the version of its format")
    keys["migd"].integer(FORMAT, FORMAT)
    return keys


def _kind(entry: Place) -> str:
    found = [key for key in entry.entries() if key in _KINDS]
    if len(found) != 1:
        has = f"it has {' and '.join(found)}" if found else "it has none"
        raise entry.wrong(f"a capability says what it runs on with one of {', '.join(_KINDS)}; {has}")
    return found[0]


def _reference(entries: list[Place]) -> Capability | None:
    """The reference capability as the file wants it; None when it is switched off."""
    if not entries:
        return reference_capability()
    if len(entries) > 1:
        raise entries[1].wrong(f"the reference capability is set already, in line {entries[0].line}")
    keys = entries[0].only(("builtin", "enabled", "tenants", "limits"))
    keys["builtin"].one_of(("reference",))
    if "enabled" in keys and not keys["enabled"].flag():
        return None
    reference = reference_capability(read_tenants(keys.get("tenants")))
    return dataclasses.replace(reference, limits=read_allowance(keys.get("limits")))
