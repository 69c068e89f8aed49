"""Public keys of token issuers: read from a file or a URL, kept current, and bounded."""

from migd.keys.jwk_set import KeySetError
from migd.keys.key_ring import KeyRing, Refreshing
from migd.keys.origins import KeyFile, KeyUrl

__all__ = ["KeyFile", "KeyRing", "KeySetError", "KeyUrl", "Refreshing"]
