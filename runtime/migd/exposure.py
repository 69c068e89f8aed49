"""Whether strangers reach a gateway that asks nobody who they are."""

from __future__ import annotations

from migd.config import Settings


def exposure(settings: Settings) -> str:
    """One sentence for the log and the console; "" when nothing has to be said.

    A listener that asks for client certificates lets no stranger in.
    """
    if settings.auth_mode != "none" or settings.tls_client_ca is not None:
        return ""
    listeners = {"MIGD_ADDR": settings.addr, "MIGD_GRPC_ADDR": settings.grpc_addr}
    open_to_all = [
        f"{variable}={address}"
        for variable, address in listeners.items()
        if address is not None and not address.is_loopback
    ]
    if not open_to_all:
        return ""
    return (
        f"ANYONE who reaches {' or '.join(open_to_all)} can call and administer this gateway, as any tenant: "
        "set MIGD_AUTH_MODE=jwt, or listen on 127.0.0.1"
    )
