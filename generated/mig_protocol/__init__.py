# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""MIG v0.1: message types, codecs, server and client stubs, generated from spec/.

Imports nothing else of this project. See reference.md beside this file for the operations, messages and
errors.
"""

from typing import Final

MIG_VERSION: Final = "0.1"
"""The protocol version that messages carry as mig_version."""

SPEC_HASH: Final = "132d8d3e488740878b8e49b5f319f5c0e420a0b14a8fe20a046257df431416db"
"""SHA-256 over the spec that this package was generated from."""
