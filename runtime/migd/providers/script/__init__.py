"""The conformance fixture `mig.conformance.script`: a capability that does what its payload tells it to.

docs/CONFORMANCE-FIXTURE.md is its contract, for this server and others.
"""

from migd.providers.script.capability import SCRIPT_ID, script_capability

__all__ = ["SCRIPT_ID", "script_capability"]
