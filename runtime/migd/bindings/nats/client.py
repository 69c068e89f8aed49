"""nats-py's client, with the two things that it does not do."""

from __future__ import annotations

from nats import errors
from nats.aio.client import Client


class StrictClient(Client):
    """Talks in the clear to no server where TLS was asked for, and can be cut off."""

    def __init__(self, *, require_tls: bool) -> None:
        super().__init__()
        self._require_tls = require_tls

    def _connect_command(self) -> bytes:
        if self._require_tls and not self._server_info.get("tls_required"):
            raise errors.Error("the server does not offer TLS, and the settings ask for it")
        return super()._connect_command()

    def abort(self) -> None:
        """Drop what is left of a connection that did not come to its end in time."""
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()
