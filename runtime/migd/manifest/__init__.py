"""migd.yaml: which capabilities this gateway serves, on what, and how. docs/CAPABILITIES.md has every key."""

from migd.manifest.document import ManifestError, Place, read_document
from migd.manifest.loader import Manifest, declared_settings, load_manifest, read_manifest

__all__ = [
    "Manifest",
    "ManifestError",
    "Place",
    "declared_settings",
    "load_manifest",
    "read_document",
    "read_manifest",
]
