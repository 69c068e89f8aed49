"""MIG over NATS: the connection, and the operations on it (protocol section 6)."""
