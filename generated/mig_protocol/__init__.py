# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""MIG v0.1: message types, codecs, server and client stubs, generated from spec/.

Imports nothing else of this project. See reference.md beside this file for the operations, messages and
errors.
"""

from typing import Final

MIG_VERSION: Final = "0.1"
"""The protocol version that messages carry as mig_version."""

SPEC_HASH: Final = "3fbe8c89073e1e91cf4ff1b24b8c2ac4408c6edf43633e6d812435a80c024b8f"
"""SHA-256 over the spec that this package was generated from."""
