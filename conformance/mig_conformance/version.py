"""The version of the suite, as reports print it."""

from typing import Final

SUITE_VERSION: Final = "0.1.0"
