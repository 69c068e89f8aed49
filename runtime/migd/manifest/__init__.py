"""migd.yaml: which capabilities this gateway serves, and on what. docs/CAPABILITIES.md has every key."""

from migd.manifest.document import ManifestError
from migd.manifest.loader import Manifest, load_manifest

__all__ = ["Manifest", "ManifestError", "load_manifest"]
