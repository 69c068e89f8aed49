"""One driver a binding: what a check asks in the protocol's terms, put on the wire and read from it.

`port` says what a driver can do. Nothing here judges, but that `transcript` holds each message received to
its schema.
"""
