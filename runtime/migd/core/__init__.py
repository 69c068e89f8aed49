"""What MIG means, without a socket, a clock or a wire format of its own.

Bindings turn bytes into generated messages and a `Call`, hand both to `Gateway`, and turn what comes
back into bytes. Stores and providers are reached through the ports in `ports` and `provider`.
"""
