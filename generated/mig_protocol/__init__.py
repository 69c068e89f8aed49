# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""MIG v0.1: message types, codecs, server and client stubs, generated from spec/.

Imports nothing else of this project. See reference.md beside this file for the operations, messages and
errors.
"""

from typing import Final

MIG_VERSION: Final = "0.1"
"""The protocol version that messages carry as mig_version."""

SPEC_HASH: Final = "1ac3ce89be0abfd21172c64e1022272537f359698c029a037bea307197dc1013"
"""SHA-256 over the spec that this package was generated from."""
