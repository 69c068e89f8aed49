# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""MIG v0.1: message types, codecs, server and client stubs, generated from spec/.

Imports nothing else of this project. See reference.md beside this file for the operations, messages and
errors.
"""

from typing import Final

MIG_VERSION: Final = "0.1"
"""The protocol version that messages carry as mig_version."""

SPEC_HASH: Final = "1ffdceb27a99b6160e0305a1f14573237554035db646e71434db75f55dba77ee"
"""SHA-256 over the spec that this package was generated from."""
