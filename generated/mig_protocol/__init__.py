# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""MIG v0.1: message types, codecs, server and client stubs, generated from spec/.

Imports nothing else of this project. See reference.md beside this file for the operations, messages and
errors.
"""

from typing import Final

MIG_VERSION: Final = "0.1"
"""The protocol version that messages carry as mig_version."""

SPEC_HASH: Final = "307550e5c5580e479ba6ced19c8bf1f67563c5b57959e0b2d25b0df9be85aeb2"
"""SHA-256 over the spec that this package was generated from."""
