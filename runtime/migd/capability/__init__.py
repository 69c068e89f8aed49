"""What an application imports to write a capability in Python.

    from migd.capability import Final, capability

    @capability(id="text.words.count", version="1.0.0")
    async def count(request: Text) -> Count: ...

    @count.stream
    async def count_lines(request: Text) -> AsyncIterator[LineCount | Final[Count]]: ...

A function refuses a request with `raise MigFault(MigErrorCode.MIG_NOT_FOUND, "...")`; any other exception
is MIG_INTERNAL to the caller and a traceback in the log. See docs/CAPABILITIES.md.
"""

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.capability.declaration import CapabilityFunction, capability
from migd.capability.final import Final
from migd.core.provider import Work

__all__ = ["CapabilityFunction", "Final", "MigErrorCode", "MigFault", "Work", "capability"]
