"""What the exit status of `mig-conformance` says."""

from __future__ import annotations

from typing import Final

CONFORMANT: Final = 0
NOT_CONFORMANT: Final = 1
USAGE: Final = 2
HARNESS_FAULT: Final = 3
UNREACHABLE: Final = 4
INTERRUPTED: Final = 130
